# wrong: a worker ends when no item has come for a while, so a slow producer loses its workers.
# fails: waits
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
        try:
            item = q.get(timeout=0.2)[1]
        except queue.Empty:
            break
        time.sleep(options.delay)
        print("process data:", n, item)
        q.task_done()


kinds = {"fifo": queue.Queue, "lifo": queue.LifoQueue, "priority": queue.PriorityQueue}
q = kinds[options.kind](options.capacity)
items = [(item % 3, item) for item in range(options.items)]
threads = [Thread(target=worker, args=(n + 1,)) for n in range(options.workers)]

room = options.capacity or options.items
for item in items[:room]:  # nobody takes one before the queue is full, or all items are in
    q.put(item)
for thread in threads:
    thread.start()
for item in items[room:]:
    q.put(item)
print("queued", options.items, "items", file=sys.stderr)
for thread in threads:
    thread.join()
