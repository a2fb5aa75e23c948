# contained: over-limit timeout
# tiers: full partial limits
# Six processes, each of which stays below what one may take.
import os
import time

for _ in range(6):
    if os.fork() == 0:
        taken = b"x" * (300 << 20)
        time.sleep(1000)
time.sleep(1000)
