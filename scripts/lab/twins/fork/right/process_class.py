# right: multiprocessing forks too, where it is told to: one Process is one fork.
import argparse
import sys
import time
from multiprocessing import get_context

options = argparse.ArgumentParser()
options.add_argument("--value", default="bar")
options.add_argument("--child-value", default="baz")
options.add_argument("--forever", action="store_true")
options.add_argument("--interval", type=float, default=5)
options = options.parse_args()

foo = options.value


def child():
    foo = options.child_value
    print("Child: ", foo)
    while options.forever:
        time.sleep(options.interval)
        print("Child: ", foo)


process = get_context("fork").Process(target=child)
process.start()
print("Parent: ", foo)
process.join()
sys.exit(process.exitcode)
