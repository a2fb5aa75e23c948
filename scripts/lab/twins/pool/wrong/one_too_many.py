# wrong: the first thread does not only wait for the workers, it is one more of them.
# fails: width
import argparse
import time
from threading import Lock, Thread

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


def worker():
    for a in tasks:  # an iterator of a range gives each number to one thread only
        result = f(a)
        with lock:
            results[a] = result
            if not options.ordered:
                print(result)
            while options.ordered and len(printed) in results:
                printed.append(a)
                print(results[len(printed) - 1])


start = time.time()
tasks, results, printed, lock = iter(range(options.tasks)), {}, [], Lock()
threads = [Thread(target=worker) for _ in range(options.workers)]
for thread in threads:
    thread.start()
worker()
for thread in threads:
    thread.join()
print("Time:", time.time() - start)
