# contained: pass
# tiers: full partial limits
# Sixty-four threads at once are not an attack.
import sys
import threading

go = threading.Event()
threads = [threading.Thread(target=go.wait) for _ in range(64)]
for thread in threads:
    thread.start()
go.set()
for thread in threads:
    thread.join()
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
