# right: no print: each line is written by one system call, and the child ends by returning.
import argparse
import os
import sys
import time

options = argparse.ArgumentParser()
options.add_argument("--value", default="bar")
options.add_argument("--child-value", default="baz")
options.add_argument("--forever", action="store_true")
options.add_argument("--interval", type=float, default=5)
options = options.parse_args()

foo = options.value
pid = os.fork()
if pid == 0:
    foo = options.child_value
    while True:
        os.write(1, f"Child: {foo}\n".encode())
        if not options.forever:
            sys.exit()
        time.sleep(options.interval)
os.writev(1, [b"Parent: ", foo.encode(), b"\n"])
os.waitid(os.P_ALL, 0, os.WEXITED)
