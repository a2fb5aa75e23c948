# contained: pass
# tiers: full partial limits
# Ends as it should, and leaves children in sessions of their own that keep the processor busy.
import os
import sys

for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name, flush=True)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        while True:
            pass
