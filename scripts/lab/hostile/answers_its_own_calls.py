# contained: pass
# tiers: full partial
# unless open: sockets
# Answers in the kernel's place whether it may have a socket: it may, whoever else would be asked.
import ctypes
import fcntl
import os
import platform
import socket
import struct
import sys
import threading

LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ASK = 0x7FFF0000, 0x7FC00000
RECEIVE, ANSWER = 0xC0502100, 0xC0182101
seccomp, call = {"x86_64": (317, 41), "aarch64": (277, 198)}[platform.machine()]
steps = [(LOAD, 0, 0, 0), (IF_EQUAL, 0, 1, call), (RETURN, 0, 0, ASK), (RETURN, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
path = os.path.dirname(os.path.abspath(__file__)) + "/socket"


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def connect():
    global listener
    program = Program(len(steps), ctypes.addressof(code))
    listener = libc.syscall(seccomp, 1, 8, ctypes.byref(program))  # and a listener
    asked.set()
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        print("ESCAPED: connected to", path)
    except OSError:
        pass


libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
asked = threading.Event()
one = threading.Thread(target=connect)
one.start()
asked.wait()
question = bytearray(80)
try:
    fcntl.ioctl(listener, RECEIVE, question)
    fcntl.ioctl(listener, ANSWER, struct.pack("QqiI", *struct.unpack_from("Q", question), 0, 0, 1))
except (OSError, ValueError):
    pass
one.join()
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
