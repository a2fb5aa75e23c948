# wrong: waitid with WNOWAIT waits until a child has ended, and leaves it there as a zombie.
# fails: reaped
import argparse
import os
import time

options = argparse.ArgumentParser()
options.add_argument("names", nargs="*", default=["Mike", "Jake"])
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()


def f(name):
    time.sleep(options.delay)
    print("Hello", name, time.time(), flush=True)


class Process:
    def __init__(self, name):
        self.name = name

    def start(self):
        self.pid = os.fork()
        if self.pid == 0:
            f(self.name)
            os._exit(0)

    def join(self):
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)


processes = [Process(name) for name in options.names]
for process in processes:
    process.start()
for process in processes:
    process.join()
