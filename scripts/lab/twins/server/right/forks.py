# right: with --threads each client gets a process of its own, which shares nothing with the others.
import argparse
import codecs
import multiprocessing
import signal
import socket
import sys


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


options = argparse.ArgumentParser()
options.add_argument("addr", nargs="?", type=address, default="127.0.0.1:10001")
options.add_argument("--connections", type=int)
options.add_argument("--threads", action="store_true")
options.add_argument("--timeout", type=float)
options.add_argument("--buffer", type=int, default=1024)
options = options.parse_args()


def serve(connection):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with connection:
        connection.settimeout(options.timeout)
        try:
            while data := connection.recv(options.buffer):
                print(decoder.decode(data), flush=True)
        except (TimeoutError, ConnectionResetError) as why:
            print(why, file=sys.stderr)


signal.signal(signal.SIGTERM, lambda *_: sys.exit())
signal.signal(signal.SIGINT, lambda *_: sys.exit())
listener = socket.create_server(options.addr)
print("listening on", *options.addr, file=sys.stderr)
fork = multiprocessing.get_context("fork")
left = options.connections or -1
while left:
    connection, _ = listener.accept()
    if options.threads:
        fork.Process(target=serve, args=[connection], daemon=True).start()
        connection.close()  # the child has its own
    else:
        serve(connection)
    left -= 1
for child in multiprocessing.active_children():
    child.join()
