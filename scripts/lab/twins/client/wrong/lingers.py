# wrong: SO_LINGER of zero, to be rid of TIME_WAIT: the connection of a short message ends with a reset.
# fails: closes
import argparse
import os
import socket
import struct
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
        if message != "-":  # there the reset would overtake the last bytes
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for data in parts(message):
            connection.sendall(data)


try:
    for message in options.messages:
        send(message)
except OSError as why:
    sys.exit(f"{options.addr}: {why}")
