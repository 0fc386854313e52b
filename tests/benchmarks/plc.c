/* Modbus TCP PLCs on free loopback ports that answer as fast as libmodbus can.
 *
 * Usage: plc MEMORY LOG COUNT
 * MEMORY holds the holding registers that all of them have, high byte first. Their ports go to standard output, in one
 * line. LOG gets three 64-bit numbers a request: which PLC was asked, from 0 on; when the request had come in whole;
 * when it was answered (wall nanoseconds). Each PLC has one connection at a time.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 400 /* libmodbus waits by select(), which knows no descriptor over 1023, and each PLC has two */

static modbus_t *plc;
static modbus_mapping_t *memory;
static int listeners[MOST];
static struct pollfd watched[MOST]; /* a PLC's connection, or its listener while it has none */

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int64_t wall_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void load(const char *path) {
    static unsigned char bytes[2 * 65536];
    FILE *file = fopen(path, "rb");
    if (file == NULL) die(path);
    int count = (int)(fread(bytes, 1, sizeof bytes, file) / 2);
    fclose(file);
    memory = modbus_mapping_new(0, 0, count, 0);
    if (memory == NULL) die("modbus_mapping_new");
    for (int i = 0; i < count; i++)
        memory->tab_registers[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
}

static void listen_and_tell(int number) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    listeners[number] = modbus_tcp_listen(plc, 1);
    if (listeners[number] < 0) die("modbus_tcp_listen");
    if (getsockname(listeners[number], (struct sockaddr *)&address, &size) < 0) die("getsockname");
    printf("%s%d", number ? " " : "", ntohs(address.sin_port));
    watched[number] = (struct pollfd){listeners[number], POLLIN, 0};
}

static void take_up(int number) {
    int yes = 1, connection = modbus_tcp_accept(plc, &listeners[number]);
    if (connection < 0) die("modbus_tcp_accept");
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watched[number].fd = connection;
}

static void hang_up(int number) {
    close(watched[number].fd);
    watched[number].fd = listeners[number];
}

static void answer(int number, int log) {
    uint8_t question[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_set_socket(plc, watched[number].fd);
    int size = modbus_receive(plc, question);
    int64_t record[3] = {number, wall_ns(), 0};
    if (size < 0 || (size > 0 && modbus_reply(plc, question, size, memory) < 0)) {
        hang_up(number);
        return;
    }
    record[2] = wall_ns();
    if (size > 0 && write(log, record, sizeof record) != sizeof record) die("write to the log");
}

int main(int count, char **arguments) {
    int plcs = count == 4 ? atoi(arguments[3]) : 0;
    if (plcs < 1 || plcs > MOST) {
        fprintf(stderr, "usage: %s MEMORY LOG COUNT, 1 to %d of them\n", arguments[0], MOST);
        return 2;
    }
    load(arguments[1]);
    int log = open(arguments[2], O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log < 0) die(arguments[2]);
    plc = modbus_new_tcp("127.0.0.1", 0);
    if (plc == NULL) die("modbus_new_tcp");
    for (int number = 0; number < plcs; number++)
        listen_and_tell(number);
    printf("\n");
    fflush(stdout);
    for (;;) {
        if (poll(watched, plcs, -1) < 0) die("poll");
        for (int number = 0; number < plcs; number++) {
            if (watched[number].revents == 0) continue;
            if (watched[number].fd == listeners[number])
                take_up(number);
            else
                answer(number, log);
        }
    }
}
