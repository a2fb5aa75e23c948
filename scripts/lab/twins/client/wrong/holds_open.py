# wrong: it closes its connections at the end, all of them: a server that takes one client at a time never gets to the second.
# fails: closes
import argparse
import os
import socket
import sys


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


options = argparse.ArgumentParser()
options.add_argument("--addr", type=address, default="127.0.0.1:10001")
options.add_argument("--timeout", type=float)
options.add_argument("messages", nargs="*", default=["hello", "ping"])
options = options.parse_args()


def parts(message):
    if message != "-":
        yield os.fsencode(message)
        return
    while data := sys.stdin.buffer.read1(65536):
        yield data


connections = []


def send(message):
    connection = socket.create_connection(options.addr, options.timeout)
    connections.append(connection)
    for data in parts(message):
        connection.sendall(data)


try:
    for message in options.messages:
        send(message)
    for connection in connections:
        connection.close()
except OSError as why:
    sys.exit(f"{options.addr}: {why}")
