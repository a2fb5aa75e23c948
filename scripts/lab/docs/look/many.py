# Two hundred threads, alive at the same time.
import threading
import time


def work(number):
    time.sleep(0.2 + number * 0.002)
    sum(range(20_000))


threads = [threading.Thread(target=work, args=(number,)) for number in range(200)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
