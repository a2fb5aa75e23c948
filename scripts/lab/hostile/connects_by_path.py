# contained: pass
# tiers: full partial
# unless open: sockets
# Connects to somebody else's socket in the file system, and sends to it without a connection.
import os
import socket
import sys

path = os.path.dirname(os.path.abspath(__file__)) + "/socket"
try:
    socket.socket(socket.AF_UNIX).connect(path)
    print("ESCAPED: connected to", path)
except OSError:
    pass
try:
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.connect(path)
    print("ESCAPED: sends to", path)
except OSError:
    pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
