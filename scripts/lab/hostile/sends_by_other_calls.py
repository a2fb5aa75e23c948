# contained: pass
# tiers: full partial limits
# Writes its lines by calls that are not write(2): nobody sees who they come from.
import os
import sys

reader, writer = os.pipe()
for name in sys.argv[1:] or ["Bob"]:
    line = f"Hello,  {name}\n".encode()
    os.write(writer, line)
    sent = 0
    try:
        sent = os.splice(reader, 1, len(line))
    except OSError:
        pass
    if sent < len(line):
        copy = os.dup(1)
        os.write(copy, os.read(reader, len(line)))
        os.close(copy)
