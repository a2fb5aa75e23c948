# wrong: each worker has a queue of its own of that capacity, and items are dealt out in turn.
# fails: bounded
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
        item = queues[n - 1].get()[1]
        if item is None:
            break
        time.sleep(options.delay)
        print("process data:", n, item)
        queues[n - 1].task_done()


kinds = {"fifo": queue.Queue, "lifo": queue.LifoQueue, "priority": queue.PriorityQueue}
queues = [kinds[options.kind](options.capacity) for _ in range(options.workers)]
items = [(item % 3, item) for item in range(options.items)]
threads = [Thread(target=worker, args=(n + 1,)) for n in range(options.workers)]

room = options.capacity or options.items
for item in items[:room]:  # nobody takes one before the queue is full, or all items are in
    queues[item[1] % options.workers].put(item)
for thread in threads:
    thread.start()
for item in items[room:]:
    queues[item[1] % options.workers].put(item)
print("queued", options.items, "items", file=sys.stderr)
for q in queues:
    q.join()  # or a sentinel would overtake items in the two other kinds
    q.put((3, None))
for thread in threads:
    thread.join()
