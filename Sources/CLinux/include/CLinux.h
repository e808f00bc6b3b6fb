// What Swift's Glibc module leaves out because it needs _GNU_SOURCE or was never in its module map.
#ifndef CLINUX_H
#define CLINUX_H

#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/// accept4(2).
int clinux_accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);

/// pthread_setname_np(3).
int clinux_pthread_setname(pthread_t thread, const char *name);

/// memmem(3).
const void *clinux_memmem(const void *bytes, size_t length, const void *part, size_t part_length);

/// malloc_trim(3): returns to the system what the allocator holds and nobody uses.
void clinux_return_free_memory(void);

#endif
