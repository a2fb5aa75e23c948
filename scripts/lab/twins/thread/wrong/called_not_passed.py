# wrong: target=f(name) calls f at once, in the main thread, and gives the thread its result.
# fails: threads
import argparse
import time
from threading import Thread

options = argparse.ArgumentParser()
options.add_argument("names", nargs="*", default=["Bob"])
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()


def f(name):
    time.sleep(options.delay)
    print("Hello, ", name)


threads = [Thread(target=f(name)) for name in options.names]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
