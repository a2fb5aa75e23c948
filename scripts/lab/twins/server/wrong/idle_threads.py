# wrong: with --threads one thread serves everybody, by select, beside idle ones; and its time limit is always a second.
# fails: threads timeout
import argparse
import codecs
import selectors
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


def serve(connection):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with connection:
        connection.settimeout(options.timeout and 1)
        try:
            while data := connection.recv(options.buffer):
                print(decoder.decode(data), flush=True)
        except (TimeoutError, ConnectionResetError) as why:
            print(why, file=sys.stderr)


def serve_all():
    for _ in range(8):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    ready = selectors.DefaultSelector()
    ready.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in ready.select():
            if key.fileobj is listener:
                ready.register(listener.accept()[0], selectors.EVENT_READ)
            elif data := key.fileobj.recv(options.buffer):
                print(data.decode("utf-8", "replace"), flush=True)
            else:
                ready.unregister(key.fileobj)
                key.fileobj.close()


signal.signal(signal.SIGTERM, lambda *_: sys.exit())
signal.signal(signal.SIGINT, lambda *_: sys.exit())
listener = socket.create_server(options.addr)
print("listening on", *options.addr, file=sys.stderr)
if options.threads:
    serve_all()
left = options.connections or -1
while left:
    serve(listener.accept()[0])
    left -= 1
