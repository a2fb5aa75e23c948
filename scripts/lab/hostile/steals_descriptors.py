# contained: pass
# tiers: full partial
# Takes copies of everybody's open files, and reads and writes everybody's memory.
import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
OPEN, GET = 434, 438


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


buffer = ctypes.create_string_buffer(16)
mine = Piece(ctypes.addressof(buffer), 16)
for pid in {os.getppid(), *(int(name) for name in os.listdir("/proc") if name.isdigit())}:
    # In a box of its own the first process is there for this program only, and can do no more.
    first = 1 if os.getpid() < 100 else 0
    if pid in (0, first, os.getpid()):
        continue
    process = libc.syscall(OPEN, pid, 0)
    for fd in range(64):
        if process >= 0 and libc.syscall(GET, process, fd, 0) >= 0:
            print("ESCAPED: took descriptor", fd, "of", pid)
    try:
        with open(f"/proc/{pid}/maps") as maps:
            start = int(next(maps).split("-")[0], 16)
    except (OSError, StopIteration):
        start = 0x400000
    theirs = Piece(start, 16)
    if libc.process_vm_readv(pid, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0) > 0:
        print("ESCAPED: read the memory of", pid)
    try:
        with open(f"/proc/{pid}/mem", "r+b"):
            print("ESCAPED: opened the memory of", pid)
    except OSError:
        pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
