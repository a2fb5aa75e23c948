# wrong: the threads are daemons, and main sleeps in place of joining them: a thread that
# takes longer is cut off.
# fails: joined
import argparse
import time
from threading import Thread

options = argparse.ArgumentParser()
options.add_argument("names", nargs="*", default=["Bob"])
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()


def f(name):
    time.sleep(options.delay)
    print("Hello, ", name)


class Greeter(Thread):
    def __init__(self, greeted):
        super().__init__(daemon=True)
        self.greeted = greeted

    def run(self):
        f(self.greeted)


if options.style == "function":
    threads = [Thread(target=f, args=(name,), daemon=True) for name in options.names]
else:
    threads = [Greeter(name) for name in options.names]
for thread in threads:
    thread.start()
time.sleep(options.delay + 3)
