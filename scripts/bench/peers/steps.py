"""The peers of iter-gen-demo. Arguments: who, how many steps."""

import sys
import time

name, steps = sys.argv[1], int(sys.argv[2])


class MyIt:
    def __init__(self, stop):
        self.stop = stop
        self.curr = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.curr >= self.stop:
            raise StopIteration
        curr = self.curr
        self.curr += 1
        return curr


def my_range_gen(top):
    current = 0
    while current < top:
        yield current
        current += 1


def adder():
    total = 0
    while True:
        total += yield total


def measure():
    total = 0
    if name == "Python send":
        coroutine = adder()
        next(coroutine)
        for number in range(steps):
            total = coroutine.send(number)
        return total
    for number in MyIt(steps) if name == "Python class" else my_range_gen(steps):
        total += number
    return total


start = time.perf_counter_ns()
result = measure()
print((time.perf_counter_ns() - start) / steps, result, sep="\n")
