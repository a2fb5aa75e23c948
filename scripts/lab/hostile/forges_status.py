# contained: pass
# tiers: full partial limits
# Writes to every descriptor that it may have inherited.
import os
import sys

for fd in range(3, 1024):
    try:
        os.write(fd, b"exit status 0\n")
        print("ESCAPED: wrote to descriptor", fd)
    except OSError:
        pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
