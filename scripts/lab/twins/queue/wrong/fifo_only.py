# wrong: the queue is always first in, first out, whatever --kind says.
# fails: kinds
import argparse
import queue
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
    while True:
        item = q.get()
        if item is None:
            break
        time.sleep(options.delay)
        print("process data:", n, item)


q = queue.Queue(options.capacity)
threads = [Thread(target=worker, args=(n + 1,)) for n in range(options.workers)]
for thread in threads:
    thread.start()
for item in range(options.items):
    q.put(item)
print("queued", options.items, "items", file=sys.stderr)
for _ in threads:
    q.put(None)
for thread in threads:
    thread.join()
