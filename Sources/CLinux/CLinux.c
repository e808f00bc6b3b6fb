#define _GNU_SOURCE
#include "CLinux.h"
#include <malloc.h>

int clinux_accept4(int socket, struct sockaddr *address, socklen_t *length, int flags) {
    return accept4(socket, address, length, flags);
}

int clinux_pthread_setname(pthread_t thread, const char *name) {
    return pthread_setname_np(thread, name);
}

void clinux_return_free_memory(void) {
    malloc_trim(0);
}
