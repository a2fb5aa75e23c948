# right: one thread more does all the printing; the others hand it their lines.
import argparse
import codecs
import queue
import signal
import socket
import sys
import threading


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


def write():
    while (line := lines.get()) is not None:
        print(line, flush=True)


def serve(connection):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with connection:
        connection.settimeout(options.timeout)
        try:
            while data := connection.recv(options.buffer):
                lines.put(decoder.decode(data))
        except (TimeoutError, ConnectionResetError) as why:
            print(why, file=sys.stderr)


signal.signal(signal.SIGTERM, lambda *_: sys.exit())
signal.signal(signal.SIGINT, lambda *_: sys.exit())
lines = queue.SimpleQueue()
printer = threading.Thread(target=write, daemon=True)
printer.start()
listener = socket.create_server(options.addr)
print("listening on", *options.addr, file=sys.stderr)
left = options.connections or -1
while left:
    connection, _ = listener.accept()
    if options.threads:
        threading.Thread(target=serve, args=[connection], daemon=True).start()
    else:
        serve(connection)
    left -= 1
for thread in threading.enumerate()[2:]:
    thread.join()
lines.put(None)
printer.join()
