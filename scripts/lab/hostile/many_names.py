# contained: over-limit
# says: more files than it may
# tiers: full
# Makes files without a byte in them, which take memory all the same.
import os
import time

for number in range(400_000):
    os.mknod(f"/tmp/{number}")
time.sleep(30)
