// Evens out MariaDB Connector/C (Debian's default-libmysqlclient-dev) and Oracle's libmysqlclient 8.0 and later.
#ifndef CMYSQL_H
#define CMYSQL_H

#include <mysql/mysql.h>
#include <mysql/errmsg.h>
#include <mysql/mysqld_error.h>
#include <stddef.h>
#include <stdint.h>

enum cmysql_tls {
  CMYSQL_TLS_DISABLED,
  CMYSQL_TLS_PREFERRED,
  CMYSQL_TLS_REQUIRED,
  CMYSQL_TLS_VERIFY_CA,
  CMYSQL_TLS_VERIFY_IDENTITY
};

/// Initializes the library for the process. Returns 0, or an error number.
int cmysql_library_init(void);

/// Sets the TLS mode, which the libraries spell with different options of different types. `ca` may be NULL.
/// Returns 0, or nonzero if the library refuses an option.
int cmysql_set_tls(MYSQL *mysql, enum cmysql_tls mode, const char *ca);

/// Lets no method of authentication be used that could hand the password to whoever is on the way, unless the
/// connection is encrypted or a Unix socket. Returns 0, or nonzero if the library refuses.
int cmysql_protect_password(MYSQL *mysql);

/// The number of a server's error that the library takes for one of its own, or 0: Connector/C reports every error
/// packet with a number from 5000 to 5999 as a malformed packet (2027), but such numbers are OceanBase's (5010). The
/// packet is the last that was read, and still there.
unsigned int cmysql_disguised_error(MYSQL *mysql);

/// Whether another statement's result follows: of different types in the two libraries.
int cmysql_more_results(MYSQL *mysql);

/// The flags of mysql_real_connect: an expression of different types, which Swift does not import alike.
unsigned long cmysql_client_flags(void);

/// Makes the system find out within half a minute that the other end of a TCP connection is no more.
void cmysql_watch_peer(MYSQL *mysql);

enum cmysql_limit { CMYSQL_WITHIN_LIMITS, CMYSQL_OUT_OF_TIME, CMYSQL_TOO_LARGE };

/// Begins a call of the library's on this thread, which ends with an error once it takes longer than `nanoseconds` in
/// all, or `pause` without a byte from the server, or the server sends more than `bytes`.
///
/// With Oracle's library, which has no way in for this, the time and the bytes are looked at with every row, and the
/// options for reading and writing bound each wait.
void cmysql_begin_call(int64_t nanoseconds, int64_t pause, uint64_t bytes);

/// Makes a connection keep to these limits. Returns 0, or nonzero if the library refuses.
int cmysql_use_limits(MYSQL *mysql);

/// What comes until cmysql_expect_rows() describes a result, and is never large.
void cmysql_expect_description(void);
void cmysql_expect_rows(void);

/// Counts a row of so many bytes. Returns which limit the call is beyond.
enum cmysql_limit cmysql_count_row(uint64_t bytes);

/// Which limit the call that began last is, or was, beyond.
enum cmysql_limit cmysql_limit_exceeded(void);

void cmysql_end_call(void);

/// Gives what was freed back to the system: the allocator keeps what threads have freed, up to megabytes of each.
void cmysql_return_free_memory(void);

/// Ends the connection underneath, so that the library does not read on to where it could be used again.
void cmysql_abandon(MYSQL *mysql);

#endif
