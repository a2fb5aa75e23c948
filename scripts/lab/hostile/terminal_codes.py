# contained: fail
# tiers: full partial limits
# Writes what a terminal takes for commands, and what no text is.
import os

os.write(1, b"\x1b[2J\x1b]0;owned\x07\x1b[1A\x1b[32mok\x1b[0m\r \x00 \xff\xfe \x9b31m\n" * 20)
