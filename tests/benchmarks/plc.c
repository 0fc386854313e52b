/* A Modbus TCP PLC on a free loopback port that answers as fast as libmodbus can.
 *
 * Usage: plc MEMORY LOG
 * MEMORY holds its holding registers, high byte first. The port goes to standard output. LOG gets two 64-bit
 * numbers a request: when it had come in whole and when it was answered, in wall nanoseconds.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int64_t wall_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static modbus_mapping_t *load(const char *path) {
    static unsigned char bytes[2 * 65536];
    FILE *file = fopen(path, "rb");
    if (file == NULL) die(path);
    int count = (int)(fread(bytes, 1, sizeof bytes, file) / 2);
    fclose(file);
    modbus_mapping_t *memory = modbus_mapping_new(0, 0, count, 0);
    if (memory == NULL) die("modbus_mapping_new");
    for (int i = 0; i < count; i++)
        memory->tab_registers[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    return memory;
}

static void tell_port(int listener) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &size) < 0) die("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
}

static void serve(modbus_t *plc, modbus_mapping_t *memory, int log) {
    uint8_t question[MODBUS_TCP_MAX_ADU_LENGTH];
    int size;
    while ((size = modbus_receive(plc, question)) >= 0) {
        if (size == 0) continue;
        int64_t times[2] = {wall_ns(), 0};
        if (modbus_reply(plc, question, size, memory) < 0) return;
        times[1] = wall_ns();
        if (write(log, times, sizeof times) != sizeof times) die("write to the log");
    }
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: %s MEMORY LOG\n", arguments[0]);
        return 2;
    }
    modbus_mapping_t *memory = load(arguments[1]);
    int log = open(arguments[2], O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log < 0) die(arguments[2]);
    modbus_t *plc = modbus_new_tcp("127.0.0.1", 0);
    if (plc == NULL) die("modbus_new_tcp");
    int listener = modbus_tcp_listen(plc, 1);
    if (listener < 0) die("modbus_tcp_listen");
    tell_port(listener);
    for (;;) {
        if (modbus_tcp_accept(plc, &listener) < 0) die("modbus_tcp_accept");
        int yes = 1;
        setsockopt(modbus_get_socket(plc), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        serve(plc, memory, log);
        modbus_close(plc);
    }
}
