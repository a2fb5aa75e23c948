# contained: timeout
# tiers: full partial limits
# Stops, as Ctrl-Z does, and waits for somebody to continue it.
import os
import signal

os.kill(os.getpid(), signal.SIGSTOP)
