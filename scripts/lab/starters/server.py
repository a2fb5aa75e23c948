# lab: server
"""Sockets: the server.

    main.py [ADDR] [--connections N] [--threads] [--timeout S] [--buffer 1024]

Listens at ADDR (127.0.0.1:10001) on a socket with SO_REUSEADDR, and then says on stderr
`listening on ADDR`. Prints each chunk that it receives, and a newline after it; a chunk is what one
recv returns. A character that lies in two chunks is printed whole, with the second; bytes that are
no UTF-8 become U+FFFD.

One client is served after the other: the next has to wait until the one before has closed.
Whatever a client does (a reset, garbage, nothing) ends that client and no other, and its socket is
closed in every case. SIGINT and SIGTERM end the server with status 0, when it has printed what it
had received.

  --connections N  end when N clients have come and gone
  --threads        serve all clients at once, each in a thread of its own
  --timeout S      close a client that sends nothing for S seconds
  --buffer B       how many bytes one recv may return
"""

import argparse


def address(text):
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


options = argparse.ArgumentParser()
options.add_argument("addr", metavar="ADDR", nargs="?", type=address, default="127.0.0.1:10001")
options.add_argument("--connections", metavar="N", type=int)
options.add_argument("--threads", action="store_true")
options.add_argument("--timeout", metavar="S", type=float)
options.add_argument("--buffer", metavar="B", type=int, default=1024)
options = options.parse_args()


def serve(connection):
    # Your turn: receive and print until the client has closed. codecs has incremental decoders.
    pass


# Your turn: socket has the four calls that make a server, signal decides what SIGTERM does.
