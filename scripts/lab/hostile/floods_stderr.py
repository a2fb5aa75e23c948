# contained: over-limit
# tiers: full partial limits
# Writes for ever where nobody looks.
import os

while True:
    os.write(2, b"many lines\n" * 5000)
