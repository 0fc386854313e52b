/* A Modbus server on libmodbus, as an independent judge of the driver: one client at a time, unit 1, four tables.
 *
 *   libmodbus_server tcp          says "port N" and serves 127.0.0.1:N
 *   libmodbus_server rtu DEVICE   says "line" and serves a serial line at 115200 baud, 8N1
 *
 * Registers hold their own address (input registers 30000 more), odd coils and discrete inputs are set.
 */
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BITS 2008
#define REGISTERS 1000

static modbus_mapping_t *tables(void)
{
    modbus_mapping_t *map = modbus_mapping_new(BITS, BITS, REGISTERS, REGISTERS);
    for (int i = 0; map && i < BITS; i++)
        map->tab_bits[i] = map->tab_input_bits[i] = i % 2;
    for (int i = 0; map && i < REGISTERS; i++) {
        map->tab_registers[i] = i;
        map->tab_input_registers[i] = 30000 + i;
    }
    return map;
}

static void serve(modbus_t *line, modbus_mapping_t *map, int for_ever)
{
    uint8_t question[MODBUS_MAX_ADU_LENGTH];
    for (;;) {
        int size = modbus_receive(line, question);
        if (size > 0)
            modbus_reply(line, question, size, map);
        else if (size < 0 && !for_ever)
            return;
        else if (size < 0 && errno == EIO)
            return;
    }
}

static int serve_tcp(modbus_mapping_t *map)
{
    modbus_t *line = modbus_new_tcp("127.0.0.1", 0);
    int door = line ? modbus_tcp_listen(line, 1) : -1;
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    if (door < 0 || getsockname(door, (struct sockaddr *)&at, &size) < 0)
        return 1;
    printf("port %d\n", ntohs(at.sin_port));
    fflush(stdout);
    while (modbus_tcp_accept(line, &door) >= 0) {
        serve(line, map, 0);
        modbus_close(line);
    }
    return 1;
}

static int serve_rtu(modbus_mapping_t *map, const char *device)
{
    modbus_t *line = modbus_new_rtu(device, 115200, 'N', 8, 1);
    if (!line || modbus_set_slave(line, 1) < 0 || modbus_connect(line) < 0)
        return 1;
    printf("line\n");
    fflush(stdout);
    serve(line, map, 1);
    return 0;
}

int main(int count, char **words)
{
    modbus_mapping_t *map = tables();
    int failed = 2;
    if (map && count == 2 && !strcmp(words[1], "tcp"))
        failed = serve_tcp(map);
    else if (map && count == 3 && !strcmp(words[1], "rtu"))
        failed = serve_rtu(map, words[2]);
    if (failed)
        fprintf(stderr, "libmodbus_server: %s\n", modbus_strerror(errno));
    return failed;
}
