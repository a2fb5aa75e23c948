# A server that asks again and again instead of waiting: all of a processor, for nobody.
import socket
import time

listener = socket.create_server(("127.0.0.1", 0))
listener.setblocking(False)
client = socket.create_connection(listener.getsockname())
connection, _ = listener.accept()
connection.setblocking(False)
end = time.monotonic() + 2
while time.monotonic() < end:
    try:
        connection.recv(1024)
    except BlockingIOError:
        pass
