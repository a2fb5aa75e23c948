# wrong: the tasks run one after the other in the main thread, and the pool is never used.
# fails: width as-completed
import argparse
import time

options = argparse.ArgumentParser()
options.add_argument("--workers", type=int, default=10)
options.add_argument("--tasks", type=int, default=10)
options.add_argument("--exponent", type=int, default=2000)
options.add_argument("--delay", type=float, default=0)
options.add_argument("--ordered", action="store_true")
options = options.parse_args()

start = time.time()
for a in range(options.tasks):
    time.sleep((options.tasks - a) * options.delay)
    print(a**options.exponent)
print("Time:", time.time() - start)
