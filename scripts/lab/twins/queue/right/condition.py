# right: a queue of its own, with one condition for everybody; it is closed instead of a sentinel.
import argparse
import sys
import time
from threading import Condition, Thread

options = argparse.ArgumentParser()
options.add_argument("--kind", choices=["fifo", "lifo", "priority"], default="fifo")
options.add_argument("--workers", type=int, default=2)
options.add_argument("--items", type=int, default=50)
options.add_argument("--capacity", type=int, default=5)
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()

ranks = {
    "fifo": lambda item: item,
    "lifo": lambda item: -item,
    "priority": lambda item: (item % 3, item),
}
waiting, closed, changed = [], False, Condition()


def worker(n):
    while True:
        with changed:
            changed.wait_for(lambda: waiting or closed)
            if not waiting:
                break
            waiting.sort(key=ranks[options.kind], reverse=True)
            item = waiting.pop()
            changed.notify_all()
        time.sleep(options.delay)
        print("process data:", n, item)


def put(items):
    for item in items:
        with changed:
            changed.wait_for(lambda: not options.capacity or len(waiting) < options.capacity)
            waiting.append(item)
            changed.notify_all()


room = options.capacity or options.items
threads = [Thread(target=worker, args=(n + 1,)) for n in range(options.workers)]
put(range(min(room, options.items)))
for thread in threads:
    thread.start()
put(range(room, options.items))
print("queued", options.items, "items", file=sys.stderr)
with changed:
    closed = True
    changed.notify_all()
for thread in threads:
    thread.join()
