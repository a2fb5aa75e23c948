# Four clients of the server at an address: each sends three messages, in turn, and goes.
import socket
import sys
import time

address = (sys.argv[1], int(sys.argv[2]))
deadline = time.monotonic() + 30
while True:
    try:
        clients = [socket.create_connection(address)]
        break
    except ConnectionRefusedError:
        if time.monotonic() > deadline:
            sys.exit("no server at " + sys.argv[1])
        time.sleep(0.02)
clients += [socket.create_connection(address) for _ in range(3)]
for number in range(3):
    for client in clients:
        client.sendall(b"message %d" % number)
        time.sleep(0.03)
for client in clients:
    client.shutdown(socket.SHUT_WR)
    client.settimeout(0.1)
    try:
        while client.recv(1024):
            pass
    except TimeoutError:
        pass
    client.close()
