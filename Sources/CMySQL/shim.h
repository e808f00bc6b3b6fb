// Evens out MariaDB Connector/C (Debian's default-libmysqlclient-dev) and Oracle's libmysqlclient 8.0 and later.
#ifndef CMYSQL_SHIM_H
#define CMYSQL_SHIM_H

#include <mysql/mysql.h>
#include <mysql/errmsg.h>
#include <stddef.h>
#include <string.h>

enum cmysql_tls {
  CMYSQL_TLS_DISABLED,
  CMYSQL_TLS_PREFERRED,
  CMYSQL_TLS_REQUIRED,
  CMYSQL_TLS_VERIFY_CA,
  CMYSQL_TLS_VERIFY_IDENTITY
};

#ifdef LIBMARIADB

#include <mysql/mysql/plugin_auth.h>

// <mysql/client_plugin.h> declares this, but includes a header that is not installed.
struct cmysql_authentication_plugin {
  int type;
  unsigned int interface_version;
  const char *name, *author, *description;
  unsigned int version[3];
  const char *license;
  void *mysql_api;
  int (*init)(char *, size_t, int, va_list);
  int (*deinit)(void);
  int (*options)(const char *, const void *);
  int (*authenticate_user)(MYSQL_PLUGIN_VIO *, MYSQL *);
  // Read by Connector/C 3.4 and later.
  int (*hash_password)(MYSQL *, unsigned char *, size_t *);
};

// Lets authentication begin only inside TLS: told to use TLS but not to verify the server, Connector/C goes on in plain
// text with a server that has none (CONC-224). The first packet, written here, holds the user's name and no secret; by
// then TLS is on or never will be. The server answers with the account's own method, which takes over.
static inline int cmysql_authenticate_inside_tls(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql) {
  static const char message[] = "TLS is required, but the server does not support it";
  if (vio->write_packet(vio, NULL, 0)) return CR_ERROR;
  if (mysql_get_ssl_cipher(mysql) != NULL) return CR_OK;
  mysql->net.last_errno = CR_SSL_CONNECTION_ERROR;
  memcpy(mysql->net.last_error, message, sizeof message);
  return CR_ERROR;
}

#define CMYSQL_INSIDE_TLS "killd_inside_tls"

#endif

// Initializes the library for the process; a macro in both libraries, and one of them wants its plugin registered.
// Returns 0, or an error number.
static inline int cmysql_library_init(void) {
  if (mysql_library_init(0, NULL, NULL)) return CR_UNKNOWN_ERROR;
#ifdef LIBMARIADB
  static struct cmysql_authentication_plugin plugin = {
    .type = 2 /* MYSQL_CLIENT_AUTHENTICATION_PLUGIN */, .interface_version = 0x0101, .name = CMYSQL_INSIDE_TLS,
    .author = "killd", .description = "authenticates inside TLS only", .license = "",
    .authenticate_user = cmysql_authenticate_inside_tls};
  MYSQL *mysql = mysql_init(NULL);
  if (mysql == NULL) return CR_OUT_OF_MEMORY;
  int failed = mysql_client_register_plugin(mysql, (struct st_mysql_client_plugin *)&plugin) == NULL;
  int error = (int)mysql_errno(mysql);
  mysql_close(mysql);
  if (failed) return error;
#endif
  return 0;
}

// Sets the TLS mode, which the libraries spell with different options of different types. `ca` may be NULL.
// Returns 0, or nonzero if the library refuses an option.
static inline int cmysql_set_tls(MYSQL *mysql, enum cmysql_tls mode, const char *ca) {
  if (ca != NULL && mysql_options(mysql, MYSQL_OPT_SSL_CA, ca)) return 1;
#ifdef LIBMARIADB
  // Without verification of the name there is none of the certificate either: VERIFY_CA gets both.
  my_bool use = mode != CMYSQL_TLS_DISABLED, verify = mode >= CMYSQL_TLS_VERIFY_CA;
  if (mode == CMYSQL_TLS_REQUIRED && mysql_options(mysql, MYSQL_DEFAULT_AUTH, CMYSQL_INSIDE_TLS)) return 1;
  // Explicitly also when false: from 3.4 on the default is true.
  return mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &use)
    || mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
#else
  static const unsigned int modes[] = {
    SSL_MODE_DISABLED, SSL_MODE_PREFERRED, SSL_MODE_REQUIRED, SSL_MODE_VERIFY_CA, SSL_MODE_VERIFY_IDENTITY};
  unsigned int oracle_mode = modes[mode];
  // Connector/C fetches the key for caching_sha2_password over plain TCP unasked; only such modes come to that.
  bool fetch_key = true;
  return mysql_options(mysql, MYSQL_OPT_SSL_MODE, &oracle_mode)
    || mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &fetch_key);
#endif
}

// Refuses to authenticate by methods that send the password as it is, which Connector/C does in plain text too if the
// server, or who says he is it, asks for one (measured with 3.3). Returns 0, or nonzero if the library refuses.
static inline int cmysql_refuse_clear_passwords(MYSQL *mysql) {
#ifdef LIBMARIADB
  return mysql_options(
    mysql, MARIADB_OPT_RESTRICTED_AUTH,
    "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec");
#else
  // The default, unless an environment variable says otherwise.
  bool allow = false;
  return mysql_options(mysql, MYSQL_ENABLE_CLEARTEXT_PLUGIN, &allow);
#endif
}

// The number of a server's error that the library takes for one of its own, or 0: Connector/C reports every error packet
// with a number from 5000 to 5999 as a malformed packet (2027), but such numbers are OceanBase's (5010). The packet is
// the last that was read, and still there.
static inline unsigned int cmysql_disguised_error(MYSQL *mysql) {
#ifdef LIBMARIADB
  const NET *net = &mysql->net;
  const unsigned char *packet = net->read_pos;
  if (mysql_errno(mysql) != CR_MALFORMED_PACKET || packet == NULL || packet < net->buff || net->buff_end - packet < 4
      || packet[0] != 0xff)
    return 0;
  unsigned int number = packet[1] | (unsigned int)packet[2] << 8;
  return number >= 5000 && number < 6000 ? number : 0;
#else
  (void)mysql;
  return 0;
#endif
}

// The flags of mysql_real_connect: an expression of different types, which Swift does not import alike.
static inline unsigned long cmysql_client_flags(void) { return CLIENT_MULTI_STATEMENTS; }

#endif
