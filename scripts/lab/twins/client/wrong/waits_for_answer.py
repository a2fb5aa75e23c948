# wrong: it waits for an answer before it closes, and the server waits for the end before it says anything.
# fails: messages
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
    with socket.create_connection(options.addr, options.timeout) as connection:
        for data in parts(message):
            connection.sendall(data)
        connection.recv(1024)


try:
    for message in options.messages:
        send(message)
except OSError as why:
    sys.exit(f"{options.addr}: {why}")
