# lab: queue
"""Queues.

    main.py [--kind fifo|lifo|priority] [--workers 2] [--items 50] [--capacity 5] [--delay 0]

One producer puts the items 0, 1, 2, ... ITEMS-1 into a queue. The workers are threads with the
numbers from 1 to WORKERS, and work at the same time. They take the items out and print a line for
each, once:

    process data: WORKER ITEM

The queue has room for CAPACITY items (0: for any number); while it is full, the producer waits.
When the last item is in the queue, `queued ITEMS items` is written to stderr. Each worker ends when
there is nothing more to do, and the program when all of them have. Who waits, for room or for an
item, sleeps until it is woken, and does not ask again and again.

  --kind K   which item is next: fifo, the oldest; lifo, the newest; priority, the one with the
             smallest ITEM % 3, and of these the smallest. With lifo and priority no worker takes
             an item before the queue is full or all items are in
  --delay D  a worker sleeps D seconds over an item before it prints the line
"""

import argparse

options = argparse.ArgumentParser()
options.add_argument("--kind", choices=["fifo", "lifo", "priority"], default="fifo")
options.add_argument("--workers", type=int, default=2)
options.add_argument("--items", type=int, default=50)
options.add_argument("--capacity", type=int, default=5)
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()


def worker(q, number):
    # Your turn: take items out of q until there are no more. What tells a worker so?
    pass


# Your turn: queue has Queue and its two relatives, threading has Thread.
