"""The peers of pool-demo. Arguments: who, how many tasks, how many at once, the exponent."""

import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed

sys.set_int_max_str_digits(0)
name, (tasks, batch, exponent) = sys.argv[1], map(int, sys.argv[2:])
step = max(-(-batch // tasks), 1)
batch = min(batch, tasks)

if name == "gmpy2 in threads":
    try:
        import gmpy2
    except ImportError:
        sys.exit(77)
    gmpy2.get_context().allow_release_gil = True


def f(a):
    if name == "gmpy2 in threads":
        gmpy2.get_context().allow_release_gil = True
        return str(gmpy2.mpz(a * step) ** exponent)
    return str((a * step) ** exponent) if exponent else a


def weight(result):
    if exponent:
        return sum(result.encode())
    return result


def do_batch():
    return sum(weight(done.result()) for done in as_completed([pool.submit(f, a) for a in range(batch)]))


Pool = ProcessPoolExecutor if "Process" in name else ThreadPoolExecutor
with Pool(max_workers=10) as pool:
    if tasks > batch:
        do_batch()
    start = time.perf_counter_ns()
    sums = {do_batch() for _ in range(tasks // batch)}
    took = time.perf_counter_ns() - start
assert len(sums) == 1
print(took / tasks, *sums, sep="\n")
