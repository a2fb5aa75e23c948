# wrong: a thread plays the child: it is in the same process, and what it assigns is seen by all.
# fails: process one-child
import argparse
import time
from threading import Thread

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


thread = Thread(target=child)
thread.start()
print("Parent: ", foo)
thread.join()
