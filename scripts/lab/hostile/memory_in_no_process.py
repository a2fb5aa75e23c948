# contained: pass
# tiers: full partial
# Fills memory that no process has mapped: files without a place, and segments of System V.
import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
SOME, ENOUGH = 48 << 20, 1200 << 20

files = []
try:
    while len(files) * SOME < ENOUGH:
        files.append(os.memfd_create("memory"))
        for _ in range(SOME >> 20):
            os.write(files[-1], b"x" * (1 << 20))
    print("ESCAPED:", len(files) * SOME, "bytes in files without a place")
except OSError:
    pass
segments = 0
while segments * SOME < ENOUGH:
    segment = libc.shmget(0, SOME, 0o1600)
    if segment < 0:
        break
    at = libc.shmat(segment, None, 0)
    ctypes.memset(at, 1, SOME)
    libc.shmdt(ctypes.c_void_p(at))
    segments += 1
else:
    print("ESCAPED:", segments * SOME, "bytes in segments")
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
