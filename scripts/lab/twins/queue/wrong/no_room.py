# wrong: capacity 0 is taken at its word: there is never room, instead of room for any number.
# fails: bounded kinds
import argparse
import sys
import time
from collections import deque
from threading import Condition, Thread

options = argparse.ArgumentParser()
options.add_argument("--kind", choices=["fifo", "lifo", "priority"], default="fifo")
options.add_argument("--workers", type=int, default=2)
options.add_argument("--items", type=int, default=50)
options.add_argument("--capacity", type=int, default=5)
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()


class Queue:
    def __init__(self, capacity):
        self.capacity, self.items, self.changed = capacity, deque(), Condition()

    def put(self, item):
        with self.changed:
            self.changed.wait_for(lambda: len(self.items) < self.capacity)
            self.items.append(item)
            self.changed.notify_all()

    def get(self):
        with self.changed:
            self.changed.wait_for(lambda: self.items)
            item = self.items.popleft()
            self.changed.notify_all()
            return item


def worker(n):
    while True:
        item = q.get()
        if item is None:
            break
        time.sleep(options.delay)
        print("process data:", n, item)


q = Queue(options.capacity)
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
