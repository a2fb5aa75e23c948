# right: the older pool of multiprocessing, which has three threads more to manage its workers.
import argparse
import time
from multiprocessing.pool import ThreadPool

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
pool = ThreadPool(options.workers)
results = pool.imap if options.ordered else pool.imap_unordered
for result in results(f, range(options.tasks)):
    print(result)
pool.close()
pool.join()
print("Time:", time.time() - start)
