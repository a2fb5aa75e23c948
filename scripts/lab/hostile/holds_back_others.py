# contained: pass
# tiers: full partial
# Takes limits, processors and turns away from the grader, which has the same user.
import ctypes
import os
import resource
import sys

libc = ctypes.CDLL(None, use_errno=True)


class Limit(ctypes.Structure):
    _fields_ = [("soft", ctypes.c_ulong), ("hard", ctypes.c_ulong)]


def limit_of(pid, new=None):
    old = Limit()
    new = ctypes.byref(Limit(*new)) if new else None
    result = libc.prlimit(pid, resource.RLIMIT_MSGQUEUE, new, ctypes.byref(old))
    return (old.soft, old.hard) if result == 0 else None


# In a box of its own there is nobody else: 0, which would be this process itself.
for pid in {os.getppid()} - {0, 1}:
    before = limit_of(pid)
    if before and before[0] and limit_of(pid, (before[0] - 1, before[1])) and limit_of(pid) != before:
        print("ESCAPED: has set a limit of", pid)
    for change, look in [
        (lambda: os.setpriority(os.PRIO_PROCESS, pid, 1), lambda: os.getpriority(os.PRIO_PROCESS, pid)),
        (lambda: os.sched_setaffinity(pid, {min(os.sched_getaffinity(pid))}), lambda: os.sched_getaffinity(pid)),
        (lambda: os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0)), lambda: os.sched_getscheduler(pid)),
    ]:
        try:
            before = look()
            change()
            if look() != before:
                print("ESCAPED: has changed the turn of", pid, "from", before)
        except OSError:
            pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
