# wrong: as many tasks as workers are submitted, and the next ones when all of these are done.
# fails: as-completed
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
with ThreadPoolExecutor(options.workers) as pool:
    for first in range(0, options.tasks, options.workers):
        batch = range(first, min(first + options.workers, options.tasks))
        if options.ordered:
            for result in pool.map(f, batch):
                print(result)
        else:
            for future in as_completed([pool.submit(f, a) for a in batch]):
                print(future.result())
print("Time:", time.time() - start)
