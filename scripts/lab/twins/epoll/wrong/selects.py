# wrong: select instead of epoll: every call brings the whole list of descriptors to the kernel and back.
# fails: one-epoll
import argparse
import codecs
import signal
import socket
import sys
import select


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

    def reads(self):
        return self.talks and len(self.owed) < 4 * 1024

    def fileno(self):
        return self.connection.fileno()

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
print("listening on", *options.addr, file=sys.stderr)

# A signal is one more thing to wait for.
wake, woken = socket.socketpair()
woken.setblocking(False)
signal.set_wakeup_fd(woken.fileno())
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGINT, lambda *_: None)


def accept():
    connection, _ = listener.accept()
    connection.setblocking(False)
    clients[connection.fileno()] = Client(connection)


def serve(client, readable, writable):
    number = client.fileno()
    try:
        if client in writable:
            client.write()
        if client in readable:
            client.read()
        gone = not client.talks and not client.owed
    except ConnectionError as why:
        print(why, file=sys.stderr)
        gone = True
    if gone:
        clients.pop(number).connection.close()


left = options.connections or -1
stopping = False
while (left or clients) and not stopping:
    readers = [client for client in clients.values() if client.reads()]
    writers = [client for client in clients.values() if client.owed]
    readable, writable, _ = select.select([listener, wake, *readers], writers, [])
    for client in {*readable, *writable}:
        if client is wake:
            stopping = True
        elif client is not listener:
            serve(client, readable, writable)
        elif left:
            accept()
            left -= 1
for client in clients.values():
    try:
        while client.talks:
            client.read()
    except OSError:
        pass  # nothing more has come
