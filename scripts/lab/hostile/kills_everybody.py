# contained: pass
# tiers: full partial
# unless open: signals
# Sends SIGKILL to its parent, to everybody that it can name, and to all at once.
import os
import signal
import sys

mine = os.getpid()
names = [int(name) for name in os.listdir("/proc") if name.isdigit()]
for pid in [os.getppid(), *names, -1]:
    if pid != mine and pid != 0:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
