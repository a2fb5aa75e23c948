# lab: mp
"""Multiprocessing.

    main.py [--style function|trait] [--delay 0] [NAME]...

Greets each NAME (without names: Mike and Jake) from a process of its own, with a line
`Hello NAME TIME`. The order is free. All the processes are started before the first is waited for,
so that all are alive at the same time. The parent waits for each of them; then nothing is left: no
process, and no zombie. If one fails, stderr names it and the exit status is 1.

  --style S  a process is told what to do by a function, or by a class that derives from Process
             and has a method run; what is printed is the same
  --delay D  each process sleeps D seconds before it greets
"""

import argparse
import time

options = argparse.ArgumentParser()
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options.add_argument("names", metavar="NAME", nargs="*", default=["Mike", "Jake"])
options = options.parse_args()


def f(name):
    time.sleep(options.delay)
    print("Hello", name, time.time(), flush=True)


# Your turn: a class for --style trait. The module is multiprocessing.


if __name__ == "__main__":
    # Your turn: multiprocessing has Process. Its children may import this file: only what stands
    # under this `if` is for the parent alone.
    pass
