# wrong: each task gets a thread of its own: as quick as a pool, until there are ten thousand tasks.
# fails: width
import argparse
import time
from queue import SimpleQueue
from threading import Thread

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
done = SimpleQueue()
threads = [Thread(target=lambda a: done.put((a, f(a))), args=(a,)) for a in range(options.tasks)]
for thread in threads:
    thread.start()
if options.ordered:
    results, first = {}, 0
    while first < options.tasks:
        a, results[a] = done.get()
        while first in results:
            print(results[first])
            first += 1
else:
    for _ in threads:
        print(done.get()[1])
for thread in threads:
    thread.join()
print("Time:", time.time() - start)
