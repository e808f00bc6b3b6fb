// Which methods of authentication may be used where. A password must never cross a TCP connection that is not
// encrypted: whoever is on the way can read it, and can pretend to be the server and choose the method. That holds for
// the RSA key of caching_sha2_password and sha256_password, too, which the server sends: who is on the way sends his
// own.
#include "CMySQL.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "Limits.h"

#ifdef LIBMARIADB

#include <mysql/mysql/plugin_auth.h>

// <mysql/client_plugin.h> declares this, but includes a header that is not installed.
struct authentication_plugin {
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

#else

#include <mysql/client_plugin.h>
#define authentication_plugin auth_plugin_t

#endif

enum { authentication = 2 /* MYSQL_CLIENT_AUTHENTICATION_PLUGIN */ };

typedef int (*authenticate)(MYSQL_PLUGIN_VIO *, MYSQL *);

#ifdef LIBMARIADB
// Marks the connections of cmysql_protect_password(). Others of the process have TLS for sure, or are a test's.
static const char protected[] = "killd_protected";
#endif

static int is_free(MYSQL *mysql) {
#ifdef LIBMARIADB
  void *is_protected = NULL;
  return mysql_get_optionv(mysql, MARIADB_OPT_USERDATA, (void *)protected, &is_protected) != 0;
#else
  (void)mysql;
  return 0;
#endif
}

static int is_private(MYSQL *mysql) {
  if (mysql_get_ssl_cipher(mysql) != NULL) return 1;
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
#ifdef LIBMARIADB
  int socket = mysql_get_socket(mysql);
#else
  int socket = mysql->net.fd;
#endif
  return getsockname(socket, (struct sockaddr *)&address, &length) == 0 && address.ss_family == AF_UNIX;
}

static int refuse(MYSQL *mysql, const char *method) {
  mysql->net.last_errno = CR_AUTH_PLUGIN_ERR;
  snprintf(
    mysql->net.last_error, sizeof mysql->net.last_error,
    "the server asked for the password itself (authentication method %s)", method);
  return CR_ERROR;
}

// Whether the next packet will be. Connector/C begins TLS with the first one, and sends it only if that succeeds.
static int will_be_private(MYSQL *mysql) {
#ifdef LIBMARIADB
  if (mysql->options.use_ssl && (mysql->server_capabilities & CLIENT_SSL)) return 1;
#endif
  return is_private(mysql);
}

// Methods that send the password, in place of a proof that one knows it.
#define GUARD(method)                                                                   \
  static authenticate original_##method;                                                \
  static int guarded_##method(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql) {                    \
    if (is_free(mysql) || will_be_private(mysql)) return original_##method(vio, mysql); \
    return refuse(mysql, #method);                                                      \
  }

GUARD(sha256_password)

#ifdef LIBMARIADB

GUARD(mysql_clear_password)

// caching_sha2_password begins with a proof, for a server that remembers the account, and sends the password to one
// that does not: as it is, if the client wished for TLS, whether or not there is any (seen with Connector/C 3.3.20).
struct proof_only {
  MYSQL_PLUGIN_VIO vio;
  MYSQL_PLUGIN_VIO *original;
  MYSQL *mysql;
  int has_written;
  int is_refused;
};

static int read_on(MYSQL_PLUGIN_VIO *vio, unsigned char **packet) {
  MYSQL_PLUGIN_VIO *original = ((struct proof_only *)vio)->original;
  return original->read_packet(original, packet);
}

static int write_proof(MYSQL_PLUGIN_VIO *vio, const unsigned char *packet, int length) {
  struct proof_only *proof = (struct proof_only *)vio;
  // The digest of SHA-256, or nothing where there is no password; by the next packet there is TLS or never will be.
  int is_proof = !proof->has_written && (length == 32 || length == 0);
  proof->is_refused |= !is_proof && !is_private(proof->mysql);
  if (proof->is_refused) return 1;
  proof->has_written = 1;
  return proof->original->write_packet(proof->original, packet, length);
}

static void tell(MYSQL_PLUGIN_VIO *vio, MYSQL_PLUGIN_VIO_INFO *info) {
  MYSQL_PLUGIN_VIO *original = ((struct proof_only *)vio)->original;
  original->info(original, info);
}

static authenticate original_caching_sha2_password;

static int guarded_caching_sha2_password(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql) {
  if (is_free(mysql)) return original_caching_sha2_password(vio, mysql);
  struct proof_only proof = {
    .vio = {.read_packet = read_on, .write_packet = write_proof, .info = tell}, .original = vio, .mysql = mysql};
  int result = original_caching_sha2_password(&proof.vio, mysql);
  return proof.is_refused ? refuse(mysql, "caching_sha2_password") : result;
}

// Lets authentication begin only inside TLS: told to use TLS but not to verify the server, Connector/C goes on in plain
// text with a server that has none (CONC-224). The first packet, written here, holds the user's name and no secret; by
// then TLS is on or never will be. The server answers with the account's own method, which takes over.
static int authenticate_inside_tls(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql) {
  static const char message[] = "TLS is required, but the server does not support it";
  if (vio->write_packet(vio, NULL, 0)) return CR_ERROR;
  if (mysql_get_ssl_cipher(mysql) != NULL) return CR_OK;
  mysql->net.last_errno = CR_SSL_CONNECTION_ERROR;
  memcpy(mysql->net.last_error, message, sizeof message);
  return CR_ERROR;
}

#endif

// Takes a method's place. One that is not installed is not replaced, and cannot be used later either:
// cmysql_protect_password() allows only those that are.
static int guard(MYSQL *mysql, const char *method, authenticate *original, authenticate guarded) {
  struct authentication_plugin *plugin =
    (struct authentication_plugin *)mysql_client_find_plugin(mysql, method, authentication);
  if (plugin == NULL) return 0;
  *original = plugin->authenticate_user;
  plugin->authenticate_user = guarded;
  return 1;
}

// Of methods that prove knowledge of the password, and of those that are guarded.
static char allowed_methods[256] = "mysql_native_password,client_ed25519,parsec";

int cmysql_library_init(void) {
  // A macro in both libraries, and one of them wants its plugin registered.
  if (mysql_library_init(0, NULL, NULL)) return CR_UNKNOWN_ERROR;
  if (cmysql_install_limits()) return CR_UNKNOWN_ERROR;
  MYSQL *mysql = mysql_init(NULL);
  if (mysql == NULL) return CR_OUT_OF_MEMORY;
  unsigned int error = 0;
  if (guard(mysql, "sha256_password", &original_sha256_password, guarded_sha256_password))
    strcat(allowed_methods, ",sha256_password");
#ifdef LIBMARIADB
  if (guard(mysql, "mysql_clear_password", &original_mysql_clear_password, guarded_mysql_clear_password))
    strcat(allowed_methods, ",mysql_clear_password");
  if (guard(mysql, "caching_sha2_password", &original_caching_sha2_password, guarded_caching_sha2_password))
    strcat(allowed_methods, ",caching_sha2_password");
  static struct authentication_plugin plugin = {
    .type = authentication, .interface_version = 0x0101, .name = "killd_inside_tls", .author = "killd",
    .description = "authenticates inside TLS only", .license = "", .authenticate_user = authenticate_inside_tls};
  if (mysql_client_register_plugin(mysql, (struct st_mysql_client_plugin *)&plugin) == NULL)
    error = mysql_errno(mysql);
#endif
  mysql_close(mysql);
  return (int)error;
}

int cmysql_protect_password(MYSQL *mysql) {
#ifdef LIBMARIADB
  return mysql_optionsv(mysql, MARIADB_OPT_USERDATA, (void *)protected, (void *)protected)
    || mysql_options(mysql, MARIADB_OPT_RESTRICTED_AUTH, allowed_methods);
#else
  // The defaults, unless an environment variable says otherwise: Oracle's library sends a password in clear only where
  // it was told so, and fetches no key for caching_sha2_password unasked.
  bool no = false;
  return mysql_options(mysql, MYSQL_ENABLE_CLEARTEXT_PLUGIN, &no)
    || mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &no);
#endif
}
