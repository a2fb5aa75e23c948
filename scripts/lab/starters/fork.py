# lab: fork
"""Creating processes.

    main.py [--value bar] [--child-value baz] [--forever] [--interval 5]

A variable has the value VALUE; then the process forks, once. The child assigns CHILD_VALUE to it.
Each of the two prints the value that it has, in any order, and nothing else is printed:

    Parent:  bar
    Child:  baz

The parent waits until the child has ended. Then nothing is left: no process, and no zombie.

  --forever     the child prints its line again and again, until Ctrl-C
  --interval S  so many seconds lie between two of these lines
"""

import argparse

options = argparse.ArgumentParser()
options.add_argument("--value", default="bar")
options.add_argument("--child-value", default="baz")
options.add_argument("--forever", action="store_true")
options.add_argument("--interval", type=float, default=5)
options = options.parse_args()

foo = options.value
# Your turn: os has fork, wait and _exit.
