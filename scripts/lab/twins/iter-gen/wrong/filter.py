# wrong: no coroutine: a filter that collects the matches and gives them when there are no more lines.
# fails: resumed
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


def grep(pattern, lines):
    print("start grep", flush=True)
    return [line for line in lines if pattern in line]


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
for line in grep(options.pattern, lines()):
    print(line)
