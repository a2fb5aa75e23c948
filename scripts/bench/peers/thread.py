"""The peer of thread-demo: a thread for each name, all started, then all joined."""

import os
import sys
from threading import Thread


def f(name):
    os.write(1, f"Hello,  {name}\n".encode())  # `print` would share a buffer


threads = [Thread(target=f, args=(name,)) for name in sys.argv[1:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
