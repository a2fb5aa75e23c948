# contained: timeout
# tiers: full partial limits
# Never gives the processor back.
while True:
    pass
