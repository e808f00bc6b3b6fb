// Tells ThreadSanitizer of the locks of Swift's Mutex.
//
// Mutex locks and unlocks in the caller's code, which ThreadSanitizer sees, as long as nobody waits for it. For the
// rest it calls two functions of libswiftSynchronization.so, which is not instrumented, so that every mutex that was
// ever waited for looks like none. These two stand in for them. As of Swift 6.3 on Linux; if Swift changes them,
// linking or the reports say so.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))
// Synchronization._MutexHandle._lockSlow(UInt32) and ._unlockSlow()
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

void __tsan_acquire(void *address);
void __tsan_release(void *address);

SWIFT void mutexLockSlow(uint32_t thread, SELF void *mutex) __asm__(LOCK_SLOW);
SWIFT void mutexUnlockSlow(SELF void *mutex) __asm__(UNLOCK_SLOW);

SWIFT void mutexLockSlow(uint32_t thread, SELF void *mutex) {
    SWIFT void (*swifts)(uint32_t, SELF void *) = dlsym(RTLD_NEXT, LOCK_SLOW);
    swifts(thread, mutex);
    __tsan_acquire(mutex);
}

SWIFT void mutexUnlockSlow(SELF void *mutex) {
    SWIFT void (*swifts)(SELF void *) = dlsym(RTLD_NEXT, UNLOCK_SLOW);
    __tsan_release(mutex);
    swifts(mutex);
}
