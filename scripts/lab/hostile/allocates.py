# contained: over-limit fail timeout
# tiers: full partial limits
# Takes memory until there is none: MemoryError, or the sum is noticed.
taken = []
while True:
    taken.append(b"x" * (64 << 20))
