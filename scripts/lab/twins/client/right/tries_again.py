# right: where nobody listens it tries again three times, each time a little later, and then gives up.
import argparse
import os
import socket
import sys
import time


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


def connect():
    for pause in 0.05, 0.1, 0.2:
        try:
            return socket.create_connection(options.addr, options.timeout)
        except ConnectionRefusedError:
            time.sleep(pause)
    return socket.create_connection(options.addr, options.timeout)


def send(message):
    with connect() as connection:
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
