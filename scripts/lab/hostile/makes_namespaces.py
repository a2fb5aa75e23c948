# contained: pass
# tiers: full partial
# Makes itself root of a system of its own.
import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUSER, NEWPID, NEWNET = 0x20000, 0x10000000, 0x20000000, 0x40000000
for flags in NEWUSER, NEWUSER | NEWNS, NEWNS, NEWPID, NEWNET:
    if libc.unshare(flags) == 0:
        print("ESCAPED: unshare", hex(flags))
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
    print("ESCAPED: mount")
for what in (lambda: os.chroot("."), lambda: os.setuid(0), lambda: os.setgid(0)):
    try:
        what()
        print("ESCAPED: chroot or set user")
    except OSError:
        pass
if os.getuid() == 0:
    print("ESCAPED: it is root")
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
