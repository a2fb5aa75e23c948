# contained: crashed
# says: signal 11
# tiers: full partial limits
# Wants a core file, and crashes.
import os
import resource
import signal
import sys

try:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
except (OSError, ValueError):
    pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name, flush=True)
os.kill(os.getpid(), signal.SIGSEGV)
