# wrong: the parent asks for the child a hundred times, and then it gives up.
# fails: waits
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
    foo = options.child_value
    print("Child: ", foo)
    while options.forever:
        time.sleep(options.interval)
        print("Child: ", foo)
    os._exit(0)
print("Parent: ", foo)
for _ in range(100):
    if os.waitpid(pid, os.WNOHANG) != (0, 0):
        break
    time.sleep(0.005)
