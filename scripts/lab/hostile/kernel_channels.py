# contained: pass
# tiers: full partial
# Uses what namespaces do not divide, and leaves memory behind for its next run.
import ctypes
import platform
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
EXCLUSIVE = 0o3000 | 0o666
if libc.shmget(0x1AB5EED, 4096, EXCLUSIVE) == -1 and ctypes.get_errno() == 17:
    print("ESCAPED: the memory of another run")
try:
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    print("ESCAPED: a socket to other machines")
except OSError:
    pass
# add_key, perf_event_open, bpf, userfaultfd, io_uring_setup
numbers = {"x86_64": (248, 298, 321, 323, 425), "aarch64": (217, 241, 280, 282, 425)}
for number in numbers.get(platform.machine(), ()):
    if libc.syscall(number, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() not in (1, 38):
        print("ESCAPED: system call", number, ctypes.get_errno())
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
