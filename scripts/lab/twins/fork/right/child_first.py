# right: the parent waits before it prints, and says on stderr what it does.
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
print("going to fork", file=sys.stderr)
pid = os.fork()
if pid == 0:
    foo = options.child_value
    print("Child: ", foo)
    while options.forever:
        time.sleep(options.interval)
        print("Child: ", foo)
    os._exit(0)
_, status = os.wait()
print("Parent:\t " + foo)
sys.exit(os.waitstatus_to_exitcode(status))
