# wrong: the pool has ten workers, as in the note, whatever --workers says.
# fails: width
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
with ThreadPoolExecutor(max_workers=10) as pool:
    if options.ordered:
        for result in pool.map(f, range(options.tasks)):
            print(result)
    else:
        futures = [pool.submit(f, a) for a in range(options.tasks)]
        for future in as_completed(futures):
            print(future.result())
print("Time:", time.time() - start)
