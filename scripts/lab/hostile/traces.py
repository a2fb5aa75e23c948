# contained: pass
# tiers: full partial
# Attaches to every process with ptrace(2), its own tracer and parent first.
import ctypes
import os
import sys

ATTACH = 16
ptrace = ctypes.CDLL(None, use_errno=True).ptrace
names = [int(name) for name in os.listdir("/proc") if name.isdigit()]
for pid in [os.getppid(), *names]:
    if pid != os.getpid() and ptrace(ATTACH, pid, None, None) == 0:
        print("ESCAPED: attached to", pid)
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
