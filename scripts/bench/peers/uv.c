/* The peer of epoll-demo on libuv: prints each chunk on a line, and answers ping. Serves until killed.
   Built where libuv is installed. */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static char buffer[1025];

static void allocate(uv_handle_t *client, size_t suggested, uv_buf_t *chunk) {
    (void)client, (void)suggested;
    *chunk = uv_buf_init(buffer, 1024);
}

static void closed(uv_handle_t *client) { free(client); }

static void ping(uv_stream_t *client) {
    uv_buf_t word = uv_buf_init("ping", 4);
    if (uv_try_write(client, &word, 1) != 4) exit(1);
}

static void received(uv_stream_t *client, ssize_t got, const uv_buf_t *chunk) {
    if (got < 0) return uv_close((uv_handle_t *)client, closed);
    if (got == 0) return; /* it would have blocked */
    chunk->base[got] = '\n';
    uv_fs_t request;
    uv_buf_t line = uv_buf_init(chunk->base, got + 1);
    if (uv_fs_write(NULL, &request, 1, &line, 1, -1, NULL) != got + 1) exit(1);
    ping(client);
}

static void connected(uv_stream_t *listener, int status) {
    uv_tcp_t *client = malloc(sizeof *client);
    if (status < 0 || !client) exit(1);
    uv_tcp_init(listener->loop, client);
    if (uv_accept(listener, (uv_stream_t *)client)) exit(1);
    ping((uv_stream_t *)client);
    uv_read_start((uv_stream_t *)client, allocate, received);
}

int main(void) {
    uv_tcp_t listener;
    struct sockaddr_in address;
    int length = sizeof address;
    uv_tcp_init(uv_default_loop(), &listener);
    uv_ip4_addr("127.0.0.1", 0, &address);
    if (uv_tcp_bind(&listener, (void *)&address, 0)) return 1;
    if (uv_listen((uv_stream_t *)&listener, 4096, connected)) return 1;
    uv_tcp_getsockname(&listener, (void *)&address, &length);
    fprintf(stderr, "listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
