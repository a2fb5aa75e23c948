# contained: pass
# tiers: full partial
# unless open: /dev/shm
# Leaves in the kernel what has no process: shared memory, semaphores, queues, files without names.
import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
PRIVATE, CREATE = 0, 0o1000 | 0o666
libc.shmget(PRIVATE, 1 << 20, CREATE)
libc.semget(PRIVATE, 1, CREATE)
libc.msgget(PRIVATE, CREATE)
libc.mq_open(b"/lab-hostile", os.O_CREAT | os.O_RDWR, 0o666, None)
try:
    with open("/dev/shm/lab-hostile", "x") as file:
        file.write("for my next run")
except FileExistsError:
    print("ESCAPED: a file of another run")
except OSError:
    pass
try:
    os.memfd_create("lab-hostile")
except OSError:
    pass
for table in "shm", "sem", "msg":
    with open(f"/proc/sysvipc/{table}") as lines:
        left = len(list(lines)) - 1
        if left > 1:
            print("ESCAPED: sees what others have left in", table)
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
