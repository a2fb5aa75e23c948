# wrong: nobody tells the workers that no more tasks will come, so they wait for ever.
# fails: gone
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


def worker():
    while True:
        a = tasks.get()
        done.put((a, f(a)))


start = time.time()
tasks, done = SimpleQueue(), SimpleQueue()
for _ in range(options.workers):
    Thread(target=worker).start()
for a in range(options.tasks):
    tasks.put(a)
if options.ordered:
    results, first = {}, 0
    while first < options.tasks:
        a, results[a] = done.get()
        while first in results:
            print(results[first])
            first += 1
else:
    for _ in range(options.tasks):
        print(done.get()[1])
print("Time:", time.time() - start)
