#ifndef KILLD_CSQLITE_SHIM_H
#define KILLD_CSQLITE_SHIM_H

#include <sqlite3.h>

/// Binds UTF-8 text and lets SQLite copy it: Swift cannot import SQLITE_TRANSIENT, a cast in a macro.
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 length) {
    return sqlite3_bind_text64(statement, index, text, length, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/// Says whether closing the last connection moves the WAL into the database: sqlite3_db_config is variadic.
static inline int csqlite_set_checkpoint_on_close(sqlite3 *database, int enabled) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !enabled, (int *)0);
}

#endif
