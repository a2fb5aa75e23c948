# wrong: those with a run method are made and waited for one after the other.
# fails: trait
import argparse
import time
from multiprocessing import Process

options = argparse.ArgumentParser()
options.add_argument("names", nargs="*", default=["Mike", "Jake"])
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()


def f(name):
    time.sleep(options.delay)
    print("Hello", name, time.time(), flush=True)


class Greeter(Process):
    def __init__(self, greeted):
        super().__init__()
        self.greeted = greeted

    def run(self):
        f(self.greeted)


if options.style == "function":
    processes = [Process(target=f, args=(name,)) for name in options.names]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
else:
    for name in options.names:
        greeter = Greeter(name)
        greeter.start()
        greeter.join()
