#ifndef CMYSQL_LIMITS_H
#define CMYSQL_LIMITS_H

/// Lets the library tell of what it reads and writes. Once for the process.
int cmysql_install_limits(void);

#endif
