# right: an event loop waits for the futures of the pool, in epoll instead of on a lock.
import argparse
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

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


async def main():
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(options.workers) as pool:
        futures = [loop.run_in_executor(pool, f, a) for a in range(options.tasks)]
        for future in futures if options.ordered else asyncio.as_completed(futures):
            print(await future)


start = time.time()
asyncio.run(main())
print("Time:", time.time() - start)
