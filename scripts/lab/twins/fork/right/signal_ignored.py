# right: who ignores SIGCHLD has no zombies: wait blocks until all children have ended, and says
# that there is none.
import argparse
import os
import signal
import time

options = argparse.ArgumentParser()
options.add_argument("--value", default="bar")
options.add_argument("--child-value", default="baz")
options.add_argument("--forever", action="store_true")
options.add_argument("--interval", type=float, default=5)
options = options.parse_args()

foo = options.value
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
pid = os.fork()
if pid == 0:
    foo = options.child_value
    print("Child: ", foo)
    while options.forever:
        time.sleep(options.interval)
        print("Child: ", foo)
    os._exit(0)
print("Parent: ", foo)
try:
    os.wait()
except ChildProcessError:
    pass
