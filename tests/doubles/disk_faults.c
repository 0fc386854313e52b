/* Preloaded: a disk that is slow, or answers with errors. The file named by DISK_FAULTS holds three numbers, read anew
 * at each call: milliseconds that an fsync takes, the errno that it gives, the errno that pwrite gives. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

struct faults { int delay_ms, fsync_errno, pwrite_errno; };

static struct faults now(void) {
    struct faults faults = {0, 0, 0};
    const char *path = getenv("DISK_FAULTS");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (file) {
        if (fscanf(file, "%d %d %d", &faults.delay_ms, &faults.fsync_errno, &faults.pwrite_errno) != 3)
            faults = (struct faults){0, 0, 0};
        fclose(file);
    }
    return faults;
}

static int sync_by(const char *name, int descriptor) {
    struct faults faults = now();
    if (faults.delay_ms) usleep(1000 * faults.delay_ms);
    if (faults.fsync_errno) { errno = faults.fsync_errno; return -1; }
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(descriptor);
}

int fsync(int descriptor) { return sync_by("fsync", descriptor); }
int fdatasync(int descriptor) { return sync_by("fdatasync", descriptor); }

static ssize_t write_by(const char *name, int descriptor, const void *data, size_t size, off_t at) {
    struct faults faults = now();
    if (faults.pwrite_errno) { errno = faults.pwrite_errno; return -1; }
    return ((ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, name))(descriptor, data, size, at);
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t at) { return write_by("pwrite", descriptor, data, size, at); }
ssize_t pwrite64(int descriptor, const void *data, size_t size, off_t at) { return write_by("pwrite64", descriptor, data, size, at); }
