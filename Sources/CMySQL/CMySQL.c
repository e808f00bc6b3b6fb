#include "CMySQL.h"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

int cmysql_set_tls(MYSQL *mysql, enum cmysql_tls mode, const char *ca) {
  if (ca != NULL && mysql_options(mysql, MYSQL_OPT_SSL_CA, ca)) return 1;
#ifdef LIBMARIADB
  // Without verification of the name there is none of the certificate either: VERIFY_CA gets both.
  my_bool use = mode != CMYSQL_TLS_DISABLED, verify = mode >= CMYSQL_TLS_VERIFY_CA;
  if (mode == CMYSQL_TLS_REQUIRED && mysql_options(mysql, MYSQL_DEFAULT_AUTH, "killd_inside_tls")) return 1;
  // Explicitly also when false: from 3.4 on the default is true.
  return mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &use)
    || mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
#else
  static const unsigned int modes[] = {
    SSL_MODE_DISABLED, SSL_MODE_PREFERRED, SSL_MODE_REQUIRED, SSL_MODE_VERIFY_CA, SSL_MODE_VERIFY_IDENTITY};
  unsigned int oracle_mode = modes[mode];
  return mysql_options(mysql, MYSQL_OPT_SSL_MODE, &oracle_mode);
#endif
}

unsigned int cmysql_disguised_error(MYSQL *mysql) {
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

unsigned long cmysql_client_flags(void) { return CLIENT_MULTI_STATEMENTS; }

int cmysql_more_results(MYSQL *mysql) { return mysql_more_results(mysql) != 0; }

static int descriptor(MYSQL *mysql) {
#ifdef LIBMARIADB
  return mysql_get_socket(mysql);
#else
  return mysql->net.fd;
#endif
}

void cmysql_watch_peer(MYSQL *mysql) {
  int socket = descriptor(mysql);
  if (socket < 0) return;
  // All but the first fail on a Unix socket, which needs none of them. What was sent is acknowledged by the server's
  // kernel also where the server itself is slow.
  const int on = 1, idle = 10, interval = 5, count = 3, unacknowledged = 5000;
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged, sizeof unacknowledged);
}

void cmysql_return_free_memory(void) { malloc_trim(0); }

void cmysql_abandon(MYSQL *mysql) {
  int socket = descriptor(mysql);
  if (socket >= 0) shutdown(socket, SHUT_RDWR);
}
