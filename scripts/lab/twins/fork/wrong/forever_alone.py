# wrong: with --forever nobody forks: the program prints the lines of the child itself.
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

while options.forever:
    print("Child: ", options.child_value)
    time.sleep(options.interval)
if os.fork() == 0:
    print("Child: ", options.child_value)
    os._exit(0)
print("Parent: ", options.value)
os.wait()
