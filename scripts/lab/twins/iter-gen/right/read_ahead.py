# right: stdin is read as much as there is at a time, numbers are printed many at once, and a
# closed pipe ends it by SIGPIPE.
import argparse
import itertools
import os
import signal

options = argparse.ArgumentParser()
options.add_argument("--stop", type=int, default=9)
options.add_argument("--top", type=int, default=4)
options.add_argument("--pattern", default="python")
options.add_argument("lines", nargs="*", default=["I love u, Anya", "python is simple"])
options = options.parse_args()
signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def lines():
    if options.lines != ["-"]:
        yield from options.lines
        return
    rest = b""
    while chunk := os.read(0, 65536):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode()
    if rest:
        yield rest.decode()


class Grep:
    def __init__(self, pattern):
        self.pattern = pattern
        os.write(1, b"start grep\n")

    def send(self, line):
        if self.pattern in line:
            os.write(1, f"{line}\n".encode())


for stop in options.stop, options.top:
    numbers = (f"{number}\n" for number in range(stop))
    while some := "".join(itertools.islice(numbers, 100)):
        os.write(1, some.encode())
grep = Grep(options.pattern)
for line in lines():
    grep.send(line)
