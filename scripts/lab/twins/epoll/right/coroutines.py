# right: a coroutine for each client, and an event loop that has the epoll: one that does not take its ping is not read from.
import argparse
import asyncio
import codecs
import signal
import socket
import sys


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


options = argparse.ArgumentParser()
options.add_argument("addr", nargs="?", type=address, default="127.0.0.1:10002")
options.add_argument("--connections", type=int)
options.add_argument("--buffer", type=int, default=1024)
options.add_argument("--flood", action="store_true")
options = options.parse_args()


async def serve(connection):
    loop = asyncio.get_running_loop()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with connection:
        try:
            await loop.sock_sendall(connection, b"ping")
            while options.flood:
                await loop.sock_sendall(connection, b"ping" * 1024)
            while data := await loop.sock_recv(connection, options.buffer):
                print(decoder.decode(data), flush=True)
                await loop.sock_sendall(connection, b"ping")
        except ConnectionError as why:
            print(why, file=sys.stderr)


async def main():
    loop = asyncio.get_running_loop()
    for number in signal.SIGTERM, signal.SIGINT:
        loop.add_signal_handler(number, asyncio.current_task().cancel)
    listener = socket.create_server(options.addr)
    listener.setblocking(False)
    print("listening on", *options.addr, file=sys.stderr)
    tasks = set()
    left = options.connections or -1
    try:
        while left:
            connection, _ = await loop.sock_accept(listener)
            connection.setblocking(False)
            tasks.add(loop.create_task(serve(connection)))
            left -= 1
        await asyncio.gather(*tasks)
    except asyncio.CancelledError:
        pass


asyncio.run(main())
