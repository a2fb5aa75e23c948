# contained: over-limit
# says: more memory than it may
# tiers: full partial limits
# Closes stdout and stderr, after which nothing more is to be read, and takes memory then.
import os
import time

for stream in range(3):
    os.close(stream)
for _ in range(6):
    if os.fork() == 0:
        taken = b"x" * (300 << 20)
        time.sleep(30)
        os._exit(0)
time.sleep(30)
