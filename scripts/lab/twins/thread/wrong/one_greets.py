# wrong: a thread for each name sleeps for the delay; then one greets for all, the others have nothing to say.
# fails: threads
import argparse
import time
from threading import Thread

options = argparse.ArgumentParser()
options.add_argument("names", nargs="*", default=["Bob"])
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()


def f(names):
    time.sleep(options.delay)
    for name in names:
        print("Hello, ", name)


threads = [Thread(target=f, args=(options.names,))]
threads += [Thread(target=f, args=([],)) for _ in options.names[1:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
