# wrong: the time is worked out from the delays, and no clock is asked.
# fails: results
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


with ThreadPoolExecutor(max_workers=options.workers) as pool:
    if options.ordered:
        for result in pool.map(f, range(options.tasks)):
            print(result)
    else:
        futures = [pool.submit(f, a) for a in range(options.tasks)]
        for future in as_completed(futures):
            print(future.result())
print("Time:", options.tasks * options.delay)
