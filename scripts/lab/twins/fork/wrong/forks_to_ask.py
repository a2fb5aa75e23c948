# wrong: each condition calls fork, so that the second one makes another process.
# fails: one-child
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
if os.fork() == 0:
    foo = options.child_value
    print("Child: ", foo)
    while options.forever:
        time.sleep(options.interval)
        print("Child: ", foo)
elif os.fork() > 0:
    print("Parent: ", foo)
    os.wait()
    os.wait()
