# contained: pass
# tiers: full partial
# Writes a file of a gigabyte.
import sys
import tempfile

written = 0
try:
    with tempfile.NamedTemporaryFile(buffering=0) as file:
        while written < 1 << 30:
            written += file.write(b"x" * (4 << 20))
except OSError:
    pass
if written > 64 << 20:
    print("ESCAPED: a file of", written, "bytes")
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
