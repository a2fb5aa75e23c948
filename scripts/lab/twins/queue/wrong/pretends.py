# wrong: one thread does all the work, under the names of all workers in turn.
# fails: workers bounded
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


def work():
    for count in range(options.items):
        item = q.get()[1]
        time.sleep(options.delay)
        print("process data:", count % options.workers + 1, item)


kinds = {"fifo": queue.Queue, "lifo": queue.LifoQueue, "priority": queue.PriorityQueue}
q = kinds[options.kind](options.capacity)
items = [(item % 3, item) for item in range(options.items)]
thread = Thread(target=work)

room = options.capacity or options.items
for item in items[:room]:  # nobody takes one before the queue is full, or all items are in
    q.put(item)
thread.start()
for item in items[room:]:
    q.put(item)
print("queued", options.items, "items", file=sys.stderr)
thread.join()
