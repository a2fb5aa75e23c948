#!/bin/sh
# contained: over-limit fail timeout
# tiers: full partial limits
# A function that calls itself twice, in the background.
bomb() {
    bomb | bomb &
}
bomb
wait
