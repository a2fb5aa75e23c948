# contained: fail
# says: missing: 'Hello, Bob'
# tiers: full partial limits
# Has the kernel tell it that its writes have succeeded before anybody is asked about them.
import ctypes
import os
import platform
import struct
import sys

LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, SUCCEED = 0x7FFF0000, 0x00050000
write = {"x86_64": 1, "aarch64": 64}[platform.machine()]
steps = [(LOAD, 0, 0, 0), (IF_EQUAL, 0, 1, write), (RETURN, 0, 0, SUCCEED), (RETURN, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
libc.prctl(22, 2, ctypes.byref(Program(len(steps), ctypes.addressof(code))), 0, 0)  # PR_SET_SECCOMP
for name in sys.argv[1:] or ["Bob"]:
    os.write(1, f"Hello,  {name}\n".encode())
