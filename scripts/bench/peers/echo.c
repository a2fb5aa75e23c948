/* The peer of epoll-demo: prints each chunk on a line, and answers ping. Serves until killed. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0);
    if (bind(listener, (void *)&address, length) || listen(listener, 4096)) return 1;
    getsockname(listener, (void *)&address, &length);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[1024];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    fprintf(stderr, "listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    for (;;) {
        int ready = epoll_wait(epoll, events, 1024, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (fd < 0) continue;
                event.data.fd = fd;
                epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
                if (write(fd, "ping", 4) != 4) return 1;
                continue;
            }
            char buffer[1025];
            ssize_t got = read(fd, buffer, 1024);
            if (got <= 0) {
                close(fd);
                continue;
            }
            buffer[got] = '\n';
            if (write(1, buffer, got + 1) != got + 1 || write(fd, "ping", 4) != 4) return 1;
        }
    }
}
