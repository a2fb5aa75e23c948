# wrong: the functions are called one after the other, and no process is made.
# fails: processes
import argparse
import time

options = argparse.ArgumentParser()
options.add_argument("names", nargs="*", default=["Mike", "Jake"])
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()


def f(name):
    time.sleep(options.delay)
    print("Hello", name, time.time(), flush=True)


class Greeter:
    def __init__(self, greeted):
        self.greeted = greeted

    def run(self):
        f(self.greeted)


for name in options.names:
    if options.style == "function":
        f(name)
    else:
        Greeter(name).run()
