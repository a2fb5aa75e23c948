# Processes that make processes, three deep; some of them fail.
import os
import time


def make(depth):
    if depth == 0:
        time.sleep(0.05)
        return
    for number in range(2):
        if os.fork() == 0:
            make(depth - 1)
            print("at depth", depth, "number", number, flush=True)
            os._exit(depth if number == 1 and depth < 3 else 0)
        time.sleep(0.02)
    for _ in range(2):
        os.wait()


make(3)
