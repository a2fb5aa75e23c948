"""The peers of fork-demo and mp-demo. Arguments: who, how many processes, MiB of the parent, 0."""

import multiprocessing
import os
import sys
import time


def f():
    pass


def start_and_join():
    if name == "Python os.fork":
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        return os.waitpid(pid, 0)[1] == 0
    process = context.Process(target=f)
    process.start()
    process.join()
    return process.exitcode == 0


if __name__ == "__main__":
    name, (times, mib, _) = sys.argv[1], map(int, sys.argv[2:])
    if "multiprocessing" in name:
        context = multiprocessing.get_context(name.split()[-1])
    try:
        import ctypes

        ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE: pages of 4 KiB
    except (ImportError, OSError):
        sys.exit(77)
    memory = bytearray(b"1") * (mib << 20)
    start_and_join()
    start = time.perf_counter_ns()
    done = sum(start_and_join() for _ in range(times))
    print((time.perf_counter_ns() - start) / times, done, sep="\n")
