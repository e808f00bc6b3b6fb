#define _GNU_SOURCE
#include "CLinux.h"
#include <malloc.h>
#include <string.h>

int clinux_accept4(int socket, struct sockaddr *address, socklen_t *length, int flags) {
    return accept4(socket, address, length, flags);
}

int clinux_pthread_setname(pthread_t thread, const char *name) {
    return pthread_setname_np(thread, name);
}

const void *clinux_memmem(const void *bytes, size_t length, const void *part, size_t part_length) {
    return memmem(bytes, length, part, part_length);
}

void clinux_return_free_memory(void) {
    malloc_trim(0);
}
