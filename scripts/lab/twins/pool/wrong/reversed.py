# wrong: the last one sleeps least, so the futures are asked backwards: right by chance only.
# fails: as-completed at-once
import argparse
import time
from concurrent.futures import ThreadPoolExecutor

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
    if options.ordered:
        for result in pool.map(f, range(options.tasks)):
            print(result)
    else:
        futures = [pool.submit(f, a) for a in range(options.tasks)]
        for future in reversed(futures):
            print(future.result())
print("Time:", time.time() - start)
