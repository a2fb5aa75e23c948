# wrong: a pool of one process greets everybody: three names are three tasks, not processes.
# fails: processes
import argparse
import time
from multiprocessing import Pool

options = argparse.ArgumentParser()
options.add_argument("names", nargs="*", default=["Mike", "Jake"])
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()


def f(name):
    time.sleep(options.delay)
    print("Hello", name, time.time(), flush=True)


with Pool(1) as pool:
    pool.map(f, options.names)
