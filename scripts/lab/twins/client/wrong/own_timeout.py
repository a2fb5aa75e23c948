# wrong: the time limit is a second, whatever --timeout says.
# fails: timeout
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
    with socket.create_connection(options.addr, options.timeout and 1) as connection:
        for data in parts(message):
            connection.sendall(data)
        # Closed with something unread in it, a socket would send a reset.
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


try:
    for message in options.messages:
        send(message)
except OSError as why:
    sys.exit(f"{options.addr}: {why}")
