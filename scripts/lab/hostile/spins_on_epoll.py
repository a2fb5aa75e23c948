# contained: pass
# tiers: full partial limits
# Asks an epoll a million times what there is, and only then says anything.
import os
import select
import sys

epoll = select.epoll()
reader, writer = os.pipe()
os.write(writer, b"x")
epoll.register(reader, select.EPOLLIN)
for _ in range(1_000_000):
    epoll.poll(0)
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
