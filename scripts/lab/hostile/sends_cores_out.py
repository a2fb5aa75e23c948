# contained: pass
# tiers: full partial
# Has the kernel start, outside, whoever takes cores: with a limit of zero it does, with one it does not.
import os
import resource
import sys

try:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (OSError, ValueError):
    pass
if resource.getrlimit(resource.RLIMIT_CORE) != (1, 1):
    print("ESCAPED: cores may be taken outside")
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
