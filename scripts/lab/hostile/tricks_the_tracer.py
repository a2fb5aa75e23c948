# contained: pass
# tiers: full partial limits
# Asks to be traced by its parent instead, and makes itself unreadable.
import ctypes
import sys

libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(0, 0, None, None) == 0:
    print("ESCAPED: nobody traced it")
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name, flush=True)
PR_SET_DUMPABLE = 4
libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
