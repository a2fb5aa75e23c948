"""The peers of queue-demo. Arguments: who, how many items, the capacity, how many producers."""

import queue
import sys
import threading
import time

name, (items, capacity, pairs) = sys.argv[1], map(int, sys.argv[2:])
q = getattr(queue, name.split(".")[-1])(capacity)
END = items  # greater than any item; the workers get it after `join` only
sums = []


def produce(producer):
    for item in range(producer, items, pairs):
        q.put(item)


def consume():
    total = 0
    while (item := q.get()) != END:
        total += item
        q.task_done()
    sums.append(total)


start = time.perf_counter_ns()
consumers = [threading.Thread(target=consume) for _ in range(pairs)]
producers = [threading.Thread(target=produce, args=(n,)) for n in range(pairs)]
for thread in consumers + producers:
    thread.start()
for thread in producers:
    thread.join()
q.join()
for _ in consumers:
    q.put(END)
for thread in consumers:
    thread.join()
took = time.perf_counter_ns() - start
print(took / items, sum(sums), sep="\n")
