# contained: crashed
# says: signal 9
# tiers: full partial limits
# Ends by SIGKILL, which is not an exit status of 137.
import os
import signal
import sys

for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
