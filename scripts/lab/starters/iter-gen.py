# lab: iter-gen
"""Iterators, generators and coroutines.

    main.py [--stop 9] [--top 4] [--pattern python] [LINE]...

Prints, a line each and in this order:

  - the numbers from 0 up to STOP, without it, which an iterator gives
  - the numbers from 0 up to TOP, without it, which a generator gives
  - `start grep`, from a coroutine when it begins, before it is sent anything
  - those of the LINEs that have PATTERN in them, from the coroutine, which is sent one line after
    the other

PATTERN is plain text. Without lines, the note's two are sent. A single `-` sends the lines of
stdin: each is read when the one before has been through the coroutine. However many numbers and
lines there are, the memory does not grow.
"""

import argparse

options = argparse.ArgumentParser()
options.add_argument("--stop", type=int, default=9)
options.add_argument("--top", type=int, default=4)
options.add_argument("--pattern", default="python")
options.add_argument(
    "lines", metavar="LINE", nargs="*", default=["I love u, Anya", "python is simple"]
)
options = options.parse_args()

# Your turn: an iterator is a class with the methods __iter__ and __next__.


# Your turn: a generator is a function that says `yield value`.


# Your turn: a coroutine is a function that says `value = yield`. Its caller has next and send.
