# contained: pass
# tiers: full partial limits
# Leaves two daemons: forked twice, in a session of their own, deaf to SIGHUP and SIGTERM.
import os
import signal
import sys
import time

for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name, flush=True)
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            for stream in range(3):
                os.close(stream)
            time.sleep(1000)
        os._exit(0)
for _ in range(2):
    os.wait()
