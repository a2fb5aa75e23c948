# right: a byte in a pipe for each item that waits, and no sentinel: the pipe is closed.
import argparse
import os
import sys
import time
from threading import Lock, Semaphore, Thread

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
waiting, lock, free = [], Lock(), Semaphore(options.capacity or options.items)
read_end, write_end = os.pipe()


def worker(n):
    while os.read(read_end, 1):
        with lock:
            waiting.sort(key=ranks[options.kind], reverse=True)
            item = waiting.pop()
        free.release()
        time.sleep(options.delay)
        print("process data:", n, item)


def put(items):
    for item in items:
        free.acquire()
        with lock:
            waiting.append(item)
        os.write(write_end, b".")


room = options.capacity or options.items
threads = [Thread(target=worker, args=(n + 1,)) for n in range(options.workers)]
put(range(min(room, options.items)))
for thread in threads:
    thread.start()
put(range(room, options.items))
print("queued", options.items, "items", file=sys.stderr)
os.close(write_end)
for thread in threads:
    thread.join()
