# contained: over-limit
# says: more files and sockets open than it may
# tiers: full partial limits
# Sixteen processes with five hundred pairs of sockets each: memory that is in no process.
import os
import socket
import time

for _ in range(16):
    if os.fork() == 0:
        pairs = []
        try:
            while len(pairs) < 490:
                pairs.append(socket.socketpair())
                for end in pairs[-1]:
                    end.setblocking(False)
                    end.send(b"x" * 4096)
        except OSError:
            pass
        time.sleep(30)
        os._exit(0)
time.sleep(30)
