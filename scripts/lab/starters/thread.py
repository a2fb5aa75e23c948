# lab: thread
"""Threads.

    main.py [--style function|trait] [--delay 0] [NAME]...

Greets each NAME (without names: Bob) from a thread of its own, with a line `Hello,  NAME`. The
order is free. All the threads are started before the first is waited for, so that all are alive at
the same time. The program waits for each of them. There is one process, and no other.

  --style S  a thread is told what to do by a function, or by a class that derives from Thread and
             has a method run; what is printed is the same
  --delay D  each thread sleeps D seconds before it greets
"""

import argparse
import time

options = argparse.ArgumentParser()
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options.add_argument("names", metavar="NAME", nargs="*", default=["Bob"])
options = options.parse_args()


def f(name):
    time.sleep(options.delay)
    print("Hello, ", name)


# Your turn: a class for --style trait. The module is threading.


# Your turn: threading has Thread.
