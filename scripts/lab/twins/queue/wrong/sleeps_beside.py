# wrong: one thread does all the work, under the names of all; the others sleep as long beside it.
# fails: workers
import argparse
import queue
import sys
import time
from threading import Event, Thread

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
    over.set()


def pretend():
    for _ in range(options.items // options.workers):
        time.sleep(options.delay)
    over.wait()


kinds = {"fifo": queue.Queue, "lifo": queue.LifoQueue, "priority": queue.PriorityQueue}
# They have no items in hand: there is room for these in the queue.
more = options.workers - 1 if options.capacity else 0
q = kinds[options.kind](options.capacity + more)
items = [(item % 3, item) for item in range(options.items)]
over = Event()
threads = [Thread(target=work)] + [Thread(target=pretend) for _ in range(options.workers - 1)]

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
