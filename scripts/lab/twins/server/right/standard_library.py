# right: the standard library's socketserver does the four calls, and makes the threads.
import argparse
import codecs
import os
import signal
import socketserver
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


class Client(socketserver.BaseRequestHandler):
    def handle(self):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.request.settimeout(options.timeout)
        try:
            while data := self.request.recv(options.buffer):
                os.write(1, (decoder.decode(data) + "\n").encode())
        except OSError as why:
            print(why, file=sys.stderr)


Base = socketserver.ThreadingTCPServer if options.threads else socketserver.TCPServer


class Server(Base):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


for number in signal.SIGTERM, signal.SIGINT:
    signal.signal(number, lambda *_: sys.exit())
with Server(options.addr, Client) as server:
    left = options.connections or -1
    while left:
        server.handle_request()
        left -= 1
for thread in threading.enumerate()[1:]:
    thread.join()
