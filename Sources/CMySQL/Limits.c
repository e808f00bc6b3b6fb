// What one call of the library's may take in all. The library itself bounds each wait only: a server that sends a byte
// every two seconds keeps it waiting for ever.
#define _GNU_SOURCE
#include "CMySQL.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "Limits.h"

// A result has a few columns, and a column's description a few hundred bytes, of which the library makes many times as
// much.
static const uint64_t largest_description = 256 * 1024;

// Blocking calls are made on one thread each.
static _Thread_local struct {
  int64_t deadline, pause, last_progress;
  uint64_t bytes_left, description_left;
  enum cmysql_limit exceeded;
  int is_under_way;
} call;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

void cmysql_begin_call(int64_t nanoseconds, int64_t pause, uint64_t bytes) {
  call.last_progress = now();
  call.deadline = call.last_progress + nanoseconds;
  call.pause = pause;
  call.bytes_left = bytes;
  call.exceeded = CMYSQL_WITHIN_LIMITS;
  call.is_under_way = 1;
  cmysql_expect_description();
}

void cmysql_expect_description(void) { call.description_left = largest_description; }

void cmysql_expect_rows(void) { call.description_left = UINT64_MAX; }

enum cmysql_limit cmysql_limit_exceeded(void) { return call.exceeded; }

void cmysql_end_call(void) { call.is_under_way = 0; }

static enum cmysql_limit count(uint64_t bytes) {
  int64_t time = now();
  call.last_progress = time;
  if (bytes > call.bytes_left || bytes > call.description_left) {
    call.exceeded = CMYSQL_TOO_LARGE;
  } else {
    call.bytes_left -= bytes;
    if (call.description_left != UINT64_MAX) call.description_left -= bytes;
  }
  if (time > call.deadline) call.exceeded = CMYSQL_OUT_OF_TIME;
  return call.exceeded;
}

#ifdef LIBMARIADB

// Of ma_pvio.h, which declares it among what needs headers that are not installed.
extern int ma_pvio_register_callback(
  my_bool registers, void (*callback)(int mode, MYSQL *mysql, const unsigned char *buffer, size_t length));

enum cmysql_limit cmysql_count_row(uint64_t bytes) {
  // They were counted when they came.
  (void)bytes;
  return call.exceeded;
}

// Called after every read and write, also inside TLS.
static void note_progress(int mode, MYSQL *mysql, const unsigned char *buffer, size_t length) {
  (void)buffer;
  if (!call.is_under_way || (ssize_t)length <= 0) return;
  if (count(mode == 0 ? length : 0) != CMYSQL_WITHIN_LIMITS) cmysql_abandon(mysql);
}

// Called in place of poll(2). `timeout` is in milliseconds or, inside TLS, in seconds: of no use.
static int wait_for_io(my_socket socket, my_bool is_read, int timeout) {
  (void)timeout;
  // Inside TLS the library reads with blocking calls, which would not come back here before a record is complete.
  int flags = fcntl(socket, F_GETFL);
  if (flags >= 0 && !(flags & O_NONBLOCK)) fcntl(socket, F_SETFL, flags | O_NONBLOCK);
  int64_t time = now();
  int64_t left = call.is_under_way ? call.deadline - time : 1000000000LL;
  if (call.is_under_way && left > call.last_progress + call.pause - time) left = call.last_progress + call.pause - time;
  if (left <= 0) {
    if (time > call.deadline) call.exceeded = CMYSQL_OUT_OF_TIME;
    errno = ETIMEDOUT;
    return 0;
  }
  // Inside TLS it says that it waits to read also when it waits to write, so it is let check now and then.
  const int64_t probe_interval = 100000000LL;
  int is_probe = is_read && call.is_under_way && left > probe_interval;
  if (is_probe) left = probe_interval;
  struct pollfd event = {.fd = socket, .events = is_read ? POLLIN : POLLOUT};
  int result = poll(&event, 1, (int)((left + 999999) / 1000000));
  // Of a connection that failed the library knows no more than errno, which is still that of the call that began it.
  if (result > 0 && !is_read && event.revents & (POLLERR | POLLHUP)) {
    int failure = 0;
    socklen_t size = sizeof failure;
    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure != 0) {
      errno = failure;
      return -1;
    }
  }
  if (result > 0 || is_probe || (result < 0 && errno == EINTR)) return 1;
  if (result == 0) {
    if (call.is_under_way && now() > call.deadline) call.exceeded = CMYSQL_OUT_OF_TIME;
    errno = ETIMEDOUT;
  }
  return result;
}

int cmysql_install_limits(void) { return ma_pvio_register_callback(1, note_progress); }

int cmysql_use_limits(MYSQL *mysql) { return mysql_options(mysql, MARIADB_OPT_IO_WAIT, (const void *)wait_for_io); }

#else

enum cmysql_limit cmysql_count_row(uint64_t bytes) { return count(bytes); }

int cmysql_install_limits(void) { return 0; }

int cmysql_use_limits(MYSQL *mysql) {
  (void)mysql;
  return 0;
}

#endif
