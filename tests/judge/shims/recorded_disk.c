/* Preloaded into a process, notes in order everything that it does to the files below one folder, and what it says.
 *
 * JUDGE_DISK_FOLDER  the folder, absolute and without symbolic links
 * JUDGE_DISK_LOG     the file to note it in, outside of that folder
 *
 * From the notes tests/judge/disk.py builds the folder as a disk would hold it after a power cut at any one of them.
 * A sync is noted and not carried out: the notes decide what is durable, and a killed process loses no page of ours.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { UNKNOWN, OUTSIDE, FILE_INSIDE, FOLDER_INSIDE };
enum { DESCRIPTORS = 4096 };

typedef struct { uint32_t kind, length; uint64_t inode, offset; } Note;

static char folder[PATH_MAX];
static size_t folder_length;
static int notes = -1;
static unsigned char place_of[DESCRIPTORS];

#define REAL(name, result, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) real = dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
    const char *where = getenv("JUDGE_DISK_FOLDER"), *log = getenv("JUDGE_DISK_LOG");
    if (!where || !log) return;
    snprintf(folder, sizeof folder, "%s", where);
    folder_length = strlen(folder);
    int opened = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    notes = opened;
}

static void note(char kind, uint64_t inode, uint64_t offset, const void *data, size_t length) {
    if (notes < 0) return;
    Note head = {(uint32_t)kind, (uint32_t)length, inode, offset};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)data, length}};
    if (writev(notes, parts, 2) < 0) abort();  /* a gap in the notes would make the judge unjust */
}

/* The path below the folder, or NULL. The working directory of the process may be anywhere. */
static const char *below(const char *path, char *space) {
    if (!folder_length || !path) return NULL;
    if (path[0] != '/') {
        char here[PATH_MAX];
        if (!getcwd(here, sizeof here) || snprintf(space, PATH_MAX, "%s/%s", here, path) >= PATH_MAX) return NULL;
        path = space;
    }
    if (strncmp(path, folder, folder_length)) return NULL;
    if (path[folder_length] == 0) return ".";
    return path[folder_length] == '/' ? path + folder_length + 1 : NULL;
}

static const char *path_of(int fd, char *space) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, space, PATH_MAX - 1);
    if (length < 0) return NULL;
    space[length] = 0;
    return space;
}

static int place(int fd) {
    if (notes < 0 || fd < 0 || fd >= DESCRIPTORS || fd == notes) return OUTSIDE;
    if (place_of[fd] == UNKNOWN) {
        char space[PATH_MAX], other[PATH_MAX];
        struct stat found;
        const char *path = path_of(fd, space);
        int inside = path && below(path, other) && !fstat(fd, &found);
        place_of[fd] = !inside ? OUTSIDE : S_ISDIR(found.st_mode) ? FOLDER_INSIDE : FILE_INSIDE;
    }
    return place_of[fd];
}

static uint64_t inode_of(int fd) {
    struct stat found;
    return fstat(fd, &found) ? 0 : (uint64_t)found.st_ino;
}

static int exists(const char *path) {
    struct stat found;
    int before = errno, there = !lstat(path, &found);
    errno = before;
    return there;
}

static int opened(int fd, const char *path, int flags, int there) {
    char space[PATH_MAX];
    const char *name = below(path, space);
    if (fd < 0) return fd;
    if (fd < DESCRIPTORS) place_of[fd] = UNKNOWN;
    if (name && !there) note('C', inode_of(fd), 0, name, strlen(name));
    else if (name && flags & O_TRUNC) note('T', inode_of(fd), 0, NULL, 0);
    return fd;
}

int open64(const char *path, int flags, ...) {
    REAL("open64", int, const char *, int, ...);
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    int there = !(flags & O_CREAT) || exists(path);
    return opened(real(path, flags, mode), path, flags, there);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open64(path, flags, mode);
}

int close(int fd) {
    REAL("close", int, int);
    if (fd >= 0 && fd < DESCRIPTORS) place_of[fd] = UNKNOWN;
    return real(fd);
}

ssize_t write(int fd, const void *data, size_t length) {
    REAL("write", ssize_t, int, const void *, size_t);
    if (fd == STDOUT_FILENO) note('O', 0, 0, data, length);  /* before: what was heard is never missing here */
    ssize_t done = real(fd, data, length);
    if (done > 0 && fd != STDOUT_FILENO && place(fd) == FILE_INSIDE)
        note('W', inode_of(fd), (uint64_t)lseek(fd, 0, SEEK_CUR) - (uint64_t)done, data, (size_t)done);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    REAL("pwrite64", ssize_t, int, const void *, size_t, off64_t);
    ssize_t done = real(fd, data, length, offset);
    if (done > 0 && place(fd) == FILE_INSIDE) note('W', inode_of(fd), (uint64_t)offset, data, (size_t)done);
    return done;
}

int ftruncate64(int fd, off64_t size) {
    REAL("ftruncate64", int, int, off64_t);
    int failed = real(fd, size);
    if (!failed && place(fd) == FILE_INSIDE) note('T', inode_of(fd), (uint64_t)size, NULL, 0);
    return failed;
}

int posix_fallocate64(int fd, off64_t offset, off64_t length) {
    REAL("posix_fallocate64", int, int, off64_t, off64_t);
    int failed = real(fd, offset, length);
    if (!failed && place(fd) == FILE_INSIDE) note('G', inode_of(fd), (uint64_t)(offset + length), NULL, 0);
    return failed;
}

static int synced(int fd, int (*real)(int)) {
    char space[PATH_MAX], other[PATH_MAX];
    switch (place(fd)) {
    case FILE_INSIDE:
        note('S', inode_of(fd), 0, NULL, 0);
        return 0;
    case FOLDER_INSIDE: {
        const char *name = below(path_of(fd, space), other);
        note('D', 0, 0, name, strlen(name));
        return 0;
    }
    default:
        return real(fd);
    }
}

int fsync(int fd) {
    REAL("fsync", int, int);
    return synced(fd, real);
}

int fdatasync(int fd) {
    REAL("fdatasync", int, int);
    return synced(fd, real);
}

int rename(const char *from, const char *to) {
    REAL("rename", int, const char *, const char *);
    char first[PATH_MAX], second[PATH_MAX], both[2 * PATH_MAX];
    const char *old = below(from, first), *new = below(to, second);
    int failed = real(from, to);
    if (failed || !old || !new) return failed;
    int length = snprintf(both, sizeof both, "%s%c%s", old, 0, new);
    note('M', 0, 0, both, (size_t)length);
    return 0;
}

static int noted(int failed, char kind, const char *path) {
    char space[PATH_MAX];
    const char *name = below(path, space);
    if (!failed && name) note(kind, 0, 0, name, strlen(name));
    return failed;
}

int unlink(const char *path) {
    REAL("unlink", int, const char *);
    return noted(real(path), 'U', path);
}

int mkdir(const char *path, mode_t mode) {
    REAL("mkdir", int, const char *, mode_t);
    return noted(real(path, mode), 'F', path);
}

int rmdir(const char *path) {
    REAL("rmdir", int, const char *);
    return noted(real(path), 'R', path);
}
