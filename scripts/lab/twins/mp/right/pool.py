# right: a pool with a worker for each name: they meet at a barrier, so that each takes one.
import argparse
import time
from multiprocessing import Barrier, Pool

options = argparse.ArgumentParser()
options.add_argument("names", nargs="*", default=["Mike", "Jake"])
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()
all_here = Barrier(len(options.names))


def f(name):
    all_here.wait()
    time.sleep(options.delay)
    print("Hello", name, time.time(), flush=True)


with Pool(len(options.names)) as pool:
    pool.map(f, options.names, chunksize=1)
    pool.close()
    pool.join()
