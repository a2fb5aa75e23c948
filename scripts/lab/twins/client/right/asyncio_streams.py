# right: coroutines and streams; one message at a time all the same.
import argparse
import asyncio
import os
import sys


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


options = argparse.ArgumentParser()
options.add_argument("--addr", type=address, default="127.0.0.1:10001")
options.add_argument("--timeout", type=float)
options.add_argument("messages", nargs="*", default=["hello", "ping"])
options = options.parse_args()


async def parts(message):
    if message != "-":
        yield os.fsencode(message)
        return
    while data := await asyncio.to_thread(sys.stdin.buffer.read1, 65536):
        yield data


async def send(message):
    connecting = asyncio.open_connection(*options.addr)
    _, writer = await asyncio.wait_for(connecting, options.timeout)
    async for data in parts(message):
        writer.write(data)
        await asyncio.wait_for(writer.drain(), options.timeout)
    writer.close()
    await asyncio.wait_for(writer.wait_closed(), options.timeout)


async def main():
    for message in options.messages:
        await send(message)


try:
    asyncio.run(main())
except (OSError, asyncio.TimeoutError) as why:
    print(*options.addr, repr(why), file=sys.stderr)
    os._exit(1)  # a thread may still wait for its stdin
