# contained: timeout
# tiers: full partial limits
# Sleeps for ever, and uses no processor time meanwhile.
import time

while True:
    time.sleep(1000)
