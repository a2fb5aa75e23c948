# wrong: the epoll has the listener in it, and each client has a thread that blocks in recv.
# fails: one-epoll
import argparse
import codecs
import select
import signal
import socket
import sys
import threading


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


options = argparse.ArgumentParser()
options.add_argument("addr", nargs="?", type=address, default="127.0.0.1:10002")
options.add_argument("--connections", type=int)
options.add_argument("--buffer", type=int, default=1024)
options.add_argument("--flood", action="store_true")
options = options.parse_args()


def serve(connection):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with connection:
        try:
            connection.sendall(b"ping")
            while options.flood:
                connection.sendall(b"ping")
            while data := connection.recv(options.buffer):
                print(decoder.decode(data), flush=True)
                connection.sendall(b"ping")
        except ConnectionError as why:
            print(why, file=sys.stderr)


signal.signal(signal.SIGTERM, lambda *_: sys.exit())
signal.signal(signal.SIGINT, lambda *_: sys.exit())
listener = socket.create_server(options.addr)
ready = select.epoll()
ready.register(listener, select.EPOLLIN)
print("listening on", *options.addr, file=sys.stderr)
left = options.connections or -1
while left:
    ready.poll()
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=[connection], daemon=True).start()
    left -= 1
for thread in threading.enumerate()[1:]:
    thread.join()
