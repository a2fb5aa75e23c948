# wrong: coroutines of asyncio: they take turns, and all of them in one thread.
# fails: threads
import argparse
import asyncio

options = argparse.ArgumentParser()
options.add_argument("names", nargs="*", default=["Bob"])
options.add_argument("--style", choices=["function", "trait"], default="function")
options.add_argument("--delay", type=float, default=0)
options = options.parse_args()


async def f(name):
    await asyncio.sleep(options.delay)
    print("Hello, ", name)


async def main():
    await asyncio.gather(*[f(name) for name in options.names])


asyncio.run(main())
