/* The peers of socket-server and socket-client: read and write, with a buffer of so many bytes.
   Arguments: "C server" ADDR --buffer BYTES … | "C client" --addr ADDR - */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int write_all(int fd, const char *bytes, ssize_t length) {
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written <= 0) return -1;
        bytes += written;
        length -= written;
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    int server = !strcmp(argv[1], "C server"), fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t size = server ? strtoul(argv[4], NULL, 10) : 65536;
    char *buffer = malloc(size + 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    ssize_t got;
    if (server) {
        if (bind(fd, (void *)&address, length) || listen(fd, 1)) return 1;
        getsockname(fd, (void *)&address, &length);
        fprintf(stderr, "listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
        int client = accept(fd, NULL, NULL);
        while ((got = read(client, buffer, size)) > 0) {
            buffer[got] = '\n';
            if (write_all(1, buffer, got + 1)) return 1;
        }
        return got < 0;
    }
    address.sin_port = htons(atoi(strrchr(argv[3], ':') + 1));
    if (connect(fd, (void *)&address, length)) return 1;
    while ((got = read(0, buffer, size)) > 0)
        if (write_all(fd, buffer, got)) return 1;
    return got < 0;
}
