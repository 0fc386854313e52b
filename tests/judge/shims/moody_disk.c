/* Preloaded into a process, gives its disk the mood that the file JUDGE_DISK_MOOD names at that moment:
 *
 *   slow N    each sync takes N milliseconds more
 *   eio N     the N-th sync from the start of the process fails with EIO, once
 *   eio 0     every sync fails with EIO
 *   (else)    a disk as it should be
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static atomic_long syncs;

static int spoilt(int fd) {
    const char *file = getenv("JUDGE_DISK_MOOD");
    struct stat found;
    char word[16] = "";
    long figure = 0, number = ++syncs;
    FILE *mood = file && !fstat(fd, &found) && S_ISREG(found.st_mode) ? fopen(file, "re") : NULL;
    if (!mood) return 0;
    int read = fscanf(mood, "%15s %ld", word, &figure);
    fclose(mood);
    if (read == 2 && !strcmp(word, "slow")) {
        struct timespec pause = {figure / 1000, figure % 1000 * 1000000};
        nanosleep(&pause, NULL);
    }
    if (read < 2 || strcmp(word, "eio") || (figure && figure != number)) return 0;
    errno = EIO;
    return 1;
}

#define SPOIL(name) \
    int name(int fd) { \
        static int (*real)(int); \
        if (!real) real = dlsym(RTLD_NEXT, #name); \
        return spoilt(fd) ? -1 : real(fd); \
    }

SPOIL(fsync)
SPOIL(fdatasync)
