# wrong: a worker ends when it finds the queue empty, which it also is before the first item comes.
# fails: items
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
    while not q.empty():
        item = q.get()[1]
        time.sleep(options.delay)
        print("process data:", n, item)
        q.task_done()


kinds = {"fifo": queue.Queue, "lifo": queue.LifoQueue, "priority": queue.PriorityQueue}
q = kinds[options.kind](options.capacity)
items = [(item % 3, item) for item in range(options.items)]
threads = [Thread(target=worker, args=(n + 1,)) for n in range(options.workers)]

for thread in threads:
    thread.start()
time.sleep(0.1)  # give them time to start
for item in items:
    q.put(item)
print("queued", options.items, "items", file=sys.stderr)
for thread in threads:
    thread.join()
