# wrong: every socket is registered in the epoll as well; what is asked is poll.
# fails: one-epoll
import argparse
import codecs
import signal
import socket
import sys
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, POLLIN, epoll, poll


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


options = argparse.ArgumentParser()
options.add_argument("addr", nargs="?", type=address, default="127.0.0.1:10002")
options.add_argument("--connections", type=int)
options.add_argument("--buffer", type=int, default=1024)
options.add_argument("--flood", action="store_true")
options = options.parse_args()


class Client:
    def __init__(self, connection):
        self.connection = connection
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.owed = b"ping"
        self.talks = True

    def events(self):
        reads = self.talks and len(self.owed) < 4 * 1024
        return (EPOLLIN if reads else 0) | (EPOLLOUT if self.owed else 0)

    def read(self):
        data = self.connection.recv(options.buffer)
        if data:
            print(self.decoder.decode(data), flush=True)
            self.owed += b"ping"
        else:
            self.talks = False

    def write(self):
        sent = self.connection.send(self.owed)
        self.owed = self.owed[sent:] or (b"ping" if options.flood else b"")


clients = {}
listener = socket.create_server(options.addr)
listener.setblocking(False)
ready = epoll()
ready.register(listener, EPOLLIN)
print("listening on", *options.addr, file=sys.stderr)

# What is asked is another one: it hands the whole list of descriptors over each time.
asked = poll()
asked.register(listener, POLLIN)

# A signal is one more thing to wait for.
wake, woken = socket.socketpair()
woken.setblocking(False)
signal.set_wakeup_fd(woken.fileno())
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGINT, lambda *_: None)
ready.register(wake, EPOLLIN)
asked.register(wake, POLLIN)


def accept():
    connection, _ = listener.accept()
    connection.setblocking(False)
    client = clients[connection.fileno()] = Client(connection)
    ready.register(connection, client.events())
    asked.register(connection, client.events())


def serve(number, event):
    client = clients[number]
    try:
        if event & EPOLLOUT:
            client.write()
        if event & EPOLLIN:
            client.read()
        gone = event & (EPOLLERR | EPOLLHUP) or not client.events()
    except ConnectionError as why:
        print(why, file=sys.stderr)
        gone = True
    if gone:
        ready.unregister(number)
        asked.unregister(number)
        clients.pop(number).connection.close()
    else:
        ready.modify(number, client.events())
        asked.modify(number, client.events())


left = options.connections or -1
stopping = False
while (left or clients) and not stopping:
    for number, event in asked.poll():
        if number == wake.fileno():
            stopping = True
        elif number != listener.fileno():
            serve(number, event)
        elif left:
            accept()
            left -= 1
for client in clients.values():
    try:
        while client.talks:
            client.read()
    except OSError:
        pass  # nothing more has come
