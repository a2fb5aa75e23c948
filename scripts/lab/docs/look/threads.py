# Four threads that only compute. One interpreter, one lock: they take turns.
import threading

ROUNDS = 4_000_000


def spin():
    total = 0
    for i in range(ROUNDS):
        total += i


threads = [threading.Thread(target=spin) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
