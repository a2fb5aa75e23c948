# contained: crashed
# says: signal 6
# tiers: full partial limits
# Ends by SIGABRT, and by nothing else.
import os
import sys

for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name, flush=True)
os.abort()
