# contained: pass
# tiers: full partial
# unless open: sockets
# Connects to somebody else's socket in the file system, and sends to it without a connection.
import errno
import os
import socket
import sys

path = os.path.dirname(os.path.abspath(__file__)) + "/socket"
try:
    socket.socket(socket.AF_UNIX).connect(path)
    print("ESCAPED: connected to", path)
except OSError:
    pass
for kind in socket.SOCK_DGRAM, socket.SOCK_RAW:  # in this family they are the same
    try:
        one, _ = socket.socketpair(socket.AF_UNIX, kind)
        try:
            one.connect(path)
        except OSError as why:
            if why.errno != errno.EPROTOTYPE:  # found, and only of another kind
                raise
        print("ESCAPED: sends to", path)
    except OSError:
        pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
