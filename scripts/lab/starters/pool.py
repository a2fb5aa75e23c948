# lab: pool
"""Thread pools and futures.

    main.py [--workers 10] [--tasks 10] [--exponent 2000] [--delay 0] [--ordered]

Prints a ** exponent for each a in 0..tasks, a line each, as it completes; then, when all workers
are gone, `Time: <seconds>`. The tasks start in the order 0, 1, 2, ... Who waits for a result sleeps
until it is there, and does not ask again and again.

  --workers N   how many threads do the work: never more, and all of them when there is work for all
  --delay D     task i first sleeps (tasks - i) * D seconds, so the last one finishes first
  --ordered     print in the order of submission instead, as map gives the results
"""

import argparse
import time

options = argparse.ArgumentParser()
options.add_argument("--workers", type=int, default=10)
options.add_argument("--tasks", type=int, default=10)
options.add_argument("--exponent", type=int, default=2000)
options.add_argument("--delay", type=float, default=0)
options.add_argument("--ordered", action="store_true")
options = options.parse_args()


def f(a):
    time.sleep((options.tasks - a) * options.delay)
    return a**options.exponent


start = time.time()
# Your turn: concurrent.futures has ThreadPoolExecutor and as_completed.
print("Time:", time.time() - start)
