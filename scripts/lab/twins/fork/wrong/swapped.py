# wrong: fork returns 0 in the child, and here that is taken for the parent.
# fails: process
import argparse
import os
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
    print("Parent: ", foo)
    os._exit(0)
foo = options.child_value
print("Child: ", foo)
while options.forever:
    time.sleep(options.interval)
    print("Child: ", foo)
os.waitpid(pid, 0)
