# right: no class and no yield: the iterator is made by iter of a function, the coroutine is a
# function that keeps its place in a closure.
import argparse
import itertools
import sys

options = argparse.ArgumentParser()
options.add_argument("--stop", type=int, default=9)
options.add_argument("--top", type=int, default=4)
options.add_argument("--pattern", default="python")
options.add_argument("lines", nargs="*", default=["I love u, Anya", "python is simple"])
options = options.parse_args()


def count(stop):
    counter = itertools.count()
    return iter(lambda: min(next(counter), stop), stop)


def grep(pattern):
    print("start grep")

    def send(line):
        if pattern in line:
            print(line)

    return send


lines = (line.rstrip("\n") for line in sys.stdin) if options.lines == ["-"] else options.lines
for i in itertools.chain(count(options.stop), count(options.top)):
    print(i)
send = grep(options.pattern)
for line in lines:
    send(line)
