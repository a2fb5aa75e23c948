# right: a pool with a worker for each name: they meet at a barrier, so that each takes one.
import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

options = argparse.ArgumentParser()
options.add_argument("names", nargs="*", default=["Bob"])
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()
all_here = Barrier(len(options.names))


def f(name):
    all_here.wait()
    time.sleep(options.delay)
    print("Hello, ", name)


class Greeter:
    def __call__(self, name):
        f(name)


target = f if options.style == "function" else Greeter()
with ThreadPoolExecutor(max_workers=len(options.names)) as pool:
    list(pool.map(target, options.names))
