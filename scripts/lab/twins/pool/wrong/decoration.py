# wrong: the workers are started and stand by, while the first thread does the work.
# fails: width as-completed
import argparse
import time
from threading import Event, Thread

options = argparse.ArgumentParser()
options.add_argument("--workers", type=int, default=10)
options.add_argument("--tasks", type=int, default=10)
options.add_argument("--exponent", type=int, default=2000)
options.add_argument("--delay", type=float, default=0)
options.add_argument("--ordered", action="store_true")
options = options.parse_args()


def f(a):
    time.sleep((options.tasks - a) * options.delay)
    return a**options.exponent


start = time.time()
over = Event()
threads = [Thread(target=over.wait) for _ in range(options.workers)]
for thread in threads:
    thread.start()
for a in range(options.tasks):
    print(f(a))
over.set()
for thread in threads:
    thread.join()
print("Time:", time.time() - start)
