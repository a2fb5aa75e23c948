# wrong: only with --delay are they started together; else each is joined before the next one is started.
# fails: overlap
import argparse
import time
from multiprocessing import Process

options = argparse.ArgumentParser()
options.add_argument("names", nargs="*", default=["Mike", "Jake"])
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()


def f(name):
    time.sleep(options.delay)
    print("Hello", name, time.time(), flush=True)


processes = [Process(target=f, args=(name,)) for name in options.names]
for process in processes:
    process.start()
    if not options.delay:
        process.join()
for process in processes:
    process.join()
