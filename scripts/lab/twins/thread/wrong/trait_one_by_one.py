# wrong: those with a run method are started and waited for one after the other.
# fails: trait
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
        super().__init__()
        self.greeted = greeted

    def run(self):
        f(self.greeted)


if options.style == "function":
    threads = [Thread(target=f, args=(name,)) for name in options.names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
else:
    for name in options.names:
        greeter = Greeter(name)
        greeter.start()
        greeter.join()
