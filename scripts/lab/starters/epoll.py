# lab: epoll
"""Asynchronous I/O.

    main.py [ADDR] [--connections N] [--buffer 1024] [--flood]

Listens at ADDR (127.0.0.1:10002), and then says on stderr `listening on ADDR`. Prints each chunk
that it receives, and a newline after it; a chunk is what one recv returns. A character that lies in
two chunks is printed whole, with the second; bytes that are no UTF-8 become U+FFFD.

Sends `ping` to each client as soon as it can take one, and another for each chunk, after the chunk
is printed. What a client can't take now is sent later. One that is owed 1,024 pings is not read
from until it takes some; one that has only shut down its side gets all that it is owed.

All that with one thread, and one epoll that watches the listener and every client. EPOLLOUT is
asked for only while a client is owed something; with nothing to do, the program sleeps. A client
that is silent, slow, or breaks off disturbs no other. SIGINT and SIGTERM end the server with
status 0, when it has printed what it had received.

  --connections N  end when N clients have come and gone
  --buffer B       how many bytes one recv may return
  --flood          send pings without end, one whenever a client can take it
"""

import argparse


def address(text):
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


options = argparse.ArgumentParser()
options.add_argument("addr", metavar="ADDR", nargs="?", type=address, default="127.0.0.1:10002")
options.add_argument("--connections", metavar="N", type=int)
options.add_argument("--buffer", metavar="B", type=int, default=1024)
options.add_argument("--flood", action="store_true")
options = options.parse_args()

# Your turn: a class for what you keep of each client. codecs has incremental decoders.


# Your turn: socket has the listener, select has epoll, signal decides what SIGTERM does.
