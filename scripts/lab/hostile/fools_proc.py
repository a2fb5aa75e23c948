# contained: pass
# tiers: full partial limits
# Gives itself names and arguments that look like other lines of /proc, and like commands.
import ctypes
import os
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NAME = 15
NAMES = [b") Z 1 1 1 1 (", b"a\nState:\tZ\nT", b"\x1b[2J\x1b[1mok", b"\xff\xfe\n) R", b""]


def named(name):
    libc.prctl(PR_SET_NAME, name, 0, 0, 0)


threads = [threading.Thread(target=named, args=[name]) for name in NAMES]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
child = os.fork()
if child == 0:
    named(NAMES[1])
    os.execv("/bin/true", [") Z 0\n\x1b[2J" + "x" * 100_000] * 15)
os.waitpid(child, 0)
named(NAMES[0])
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
