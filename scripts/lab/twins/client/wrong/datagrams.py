# wrong: a datagram for each message: there is no connection, and nobody says that nobody listens.
# fails: messages refused
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


def send(message):
    with socket.socket(type=socket.SOCK_DGRAM) as connection:
        connection.connect(options.addr)
        for data in parts(message):
            connection.sendall(data)


try:
    for message in options.messages:
        send(message)
except OSError as why:
    sys.exit(f"{options.addr}: {why}")
