# lab: client
"""Sockets: the client.

    main.py [--addr 127.0.0.1:10001] [--timeout S] [MESSAGE]...

Sends each MESSAGE (without messages: hello and ping) to ADDR, one after the other, through a
connection of its own: all its bytes, as they are, and no others. `-` sends stdin, as it comes,
until its end. Each connection is closed in order and never reset, also when the server talks.

Prints nothing. The exit status is 0 when everything was sent. When nobody listens, or the server
breaks off, it is not 0, and stderr has the address and the system's words.

  --timeout S  no step may take more than S seconds
"""

import argparse


def address(text):
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


options = argparse.ArgumentParser()
options.add_argument("--addr", metavar="ADDR", type=address, default="127.0.0.1:10001")
options.add_argument("--timeout", metavar="S", type=float)
options.add_argument("messages", metavar="MESSAGE", nargs="*", default=["hello", "ping"])
options = options.parse_args()

# Your turn: socket has two ways to a connection. os.fsencode gives the bytes of a message.
