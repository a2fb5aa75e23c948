# wrong: there is no queue: each worker fetches the next number by itself.
# fails: bounded kinds
import argparse
import sys
import time
from threading import Thread

options = argparse.ArgumentParser()
options.add_argument("--kind", choices=["fifo", "lifo", "priority"], default="fifo")
options.add_argument("--workers", type=int, default=2)
options.add_argument("--items", type=int, default=50)
options.add_argument("--capacity", type=int, default=5)
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()


def worker(n):
    for item in items:  # an iterator of a range gives each number to one thread only
        time.sleep(options.delay)
        print("process data:", n, item)


items = iter(range(options.items))
threads = [Thread(target=worker, args=(n + 1,)) for n in range(options.workers)]
for thread in threads:
    thread.start()
print("queued", options.items, "items", file=sys.stderr)
for thread in threads:
    thread.join()
