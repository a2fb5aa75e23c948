# contained: pass
# tiers: full
# Fills the places where anybody may write; there is little room, and it is its own.
import sys

escaped = False
for folder in "/tmp", "/dev/shm":
    written = 0
    try:
        for number in range(12):
            with open(f"{folder}/fill{number}", "wb", buffering=0) as file:
                for _ in range(8):
                    written += file.write(b"x" * (4 << 20))
    except OSError:
        pass
    escaped = escaped or written > 130 << 20
if escaped:
    print("ESCAPED: no bound to what can be written")
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
