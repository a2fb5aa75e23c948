# contained: over-limit
# tiers: full partial limits
# Writes for ever.
import os

while True:
    os.write(1, b"x" * 65536)
