# contained: fail
# says: exit status 137
# tiers: full partial limits
# Ends as a shell says of a killed program, and was not killed.
import sys

for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
sys.exit(137)
