# wrong: with --forever there is a new child for each line.
# fails: forever
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
printed = False
while True:
    pid = os.fork()
    if pid == 0:
        foo = options.child_value
        print("Child: ", foo)
        os._exit(0)
    if not printed:
        print("Parent: ", foo)
        printed = True
    os.waitpid(pid, 0)
    if not options.forever:
        break
    time.sleep(options.interval)
