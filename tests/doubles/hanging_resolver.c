/* Preloaded into a process, it never gets an answer about names that end in .hangs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    static resolver *real;
    size_t length = name ? strlen(name) : 0;
    while (length > 6 && strcmp(name + length - 6, ".hangs") == 0)
        sleep(1000);
    if (!real)
        real = (resolver *)dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, found);
}
