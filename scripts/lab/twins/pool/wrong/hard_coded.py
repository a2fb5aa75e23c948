# wrong: it is the note's own program: ten tasks and the exponent 2000, whatever the options say.
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
    time.sleep((10 - a) * options.delay)
    return a**2000


start = time.time()
with ThreadPoolExecutor(options.workers) as pool:
    if options.ordered:
        for result in pool.map(f, range(10)):
            print(result)
    else:
        futures = [pool.submit(f, a) for a in range(10)]
        for future in as_completed(futures):
            print(future.result())
print("Time:", time.time() - start)
