# contained: over-limit timeout
# tiers: full partial limits
# Every process makes another one, for ever.
import os

while True:
    try:
        os.fork()
    except OSError:
        pass
