# contained: pass over-limit timeout
# tiers: full partial limits
# Makes a hundred thousand files, and keeps none of the names short.
import os
import sys

os.makedirs("files", exist_ok=True)
try:
    for number in range(100_000):
        os.close(os.open(f"files/{number:0>200}", os.O_CREAT | os.O_WRONLY))
except OSError:
    pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
