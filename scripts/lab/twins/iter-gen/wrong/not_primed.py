# wrong: the coroutine is sent a line before its first next: it has come to no yield that could
# take it.
# fails: lines
import argparse
import sys

options = argparse.ArgumentParser()
options.add_argument("--stop", type=int, default=9)
options.add_argument("--top", type=int, default=4)
options.add_argument("--pattern", default="python")
options.add_argument("lines", nargs="*", default=["I love u, Anya", "python is simple"])
options = options.parse_args()


class MyIt:
    def __init__(self, stop):
        self.stop = stop
        self.curr = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.curr >= self.stop:
            raise StopIteration
        self.curr += 1
        return self.curr - 1


def my_range_gen(top):
    curr = 0
    while curr < top:
        yield curr
        curr += 1


def grep(pattern):
    print("start grep", flush=True)
    while True:
        line = yield
        if pattern in line:
            print(line, flush=True)


def lines():
    if options.lines == ["-"]:
        for line in sys.stdin:
            yield line.rstrip("\n")
    else:
        yield from options.lines


for i in MyIt(options.stop):
    print(i)
for i in my_range_gen(options.top):
    print(i)
g = grep(options.pattern)
for line in lines():
    g.send(line)
