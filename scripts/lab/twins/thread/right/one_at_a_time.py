# right: all threads are alive, and a lock lets one of them work at a time; a helper looks on.
import argparse
import time
from threading import Event, Lock, Thread

options = argparse.ArgumentParser()
options.add_argument("names", nargs="*", default=["Bob"])
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()

turn = Lock()
over = Event()


def f(name):
    with turn:
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
else:
    threads = [Greeter(name) for name in options.names]
helper = Thread(target=over.wait)
helper.start()
for thread in threads:
    thread.start()
for thread in reversed(threads):
    thread.join()
over.set()
helper.join()
