# contained: timeout
# tiers: full partial limits
# Sixteen threads that never give the processor back.
import threading


def spin():
    while True:
        pass


for _ in range(16):
    threading.Thread(target=spin).start()
