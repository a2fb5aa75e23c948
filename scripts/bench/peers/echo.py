"""The peers of epoll-demo: print each chunk on a line, and answer ping. They serve until killed."""

import asyncio
import os
import selectors
import socket
import sys


def listening(sock):
    print(f"listening on 127.0.0.1:{sock.getsockname()[1]}", file=sys.stderr, flush=True)


def with_selectors():
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    listening(listener)
    while True:
        for key, _ in selector.select():
            conn = key.fileobj
            if conn is listener:
                conn, _ = listener.accept()
                conn.setblocking(False)
                selector.register(conn, selectors.EVENT_READ)
                conn.send(b"ping")
            elif data := conn.recv(1024):
                os.write(1, (data.decode() + "\n").encode())
                conn.send(b"ping")
            else:
                selector.unregister(conn)
                conn.close()


class Ping(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        transport.write(b"ping")

    def data_received(self, data):
        os.write(1, (data.decode() + "\n").encode())
        self.transport.write(b"ping")


async def with_asyncio():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Ping, "127.0.0.1", 0, backlog=4096)
    listening(server.sockets[0])
    await server.serve_forever()


if "asyncio" in sys.argv[1]:
    asyncio.run(with_asyncio())
elif "uvloop" in sys.argv[1]:
    try:
        import uvloop
    except ImportError:
        sys.exit(77)
    uvloop.run(with_asyncio())
else:
    with_selectors()
