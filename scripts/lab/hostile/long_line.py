# contained: fail over-limit
# tiers: full partial limits
# Writes a single line of ten million letters.
import sys

sys.stdout.write("x" * 10_000_000 + "\n")
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
