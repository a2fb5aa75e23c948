# wrong: with --ordered the tasks are done one after the other in the first thread: in order, and without a pool.
# fails: ordered
import argparse
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

options = argparse.ArgumentParser()
options.add_argument("--workers", type=int, default=10)
options.add_argument("--tasks", type=int, default=10)
options.add_argument("--exponent", type=int, default=2000)
options.add_argument("--delay", type=float, default=0)
options.add_argument("--ordered", action="store_true")
options = options.parse_args()


def f(a):
    time.sleep((options.tasks - a) * options.delay)
    return a**options.exponent


start = time.time()
with ThreadPoolExecutor(max_workers=options.workers) as pool:
    if options.ordered:
        for a in range(options.tasks):
            print(f(a))
    else:
        futures = [pool.submit(f, a) for a in range(options.tasks)]
        for future in as_completed(futures):
            print(future.result())
print("Time:", time.time() - start)
