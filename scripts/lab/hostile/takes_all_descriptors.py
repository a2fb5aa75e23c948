# contained: pass
# tiers: full partial limits
# Opens terminals, pipes and queues until there is none left, and keeps them to its end.
import os
import sys

kept = []
for make in os.openpty, os.pipe, lambda: os.eventfd(0), lambda: os.open("/dev/null", os.O_RDONLY):
    try:
        for _ in range(100_000):
            kept.append(make())
    except OSError:
        pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
