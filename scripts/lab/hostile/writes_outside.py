# contained: pass
# tiers: full partial
# Changes itself, other submissions, and the system. Nothing of it may be there afterwards.
import os
import sys

beside = os.path.dirname(os.path.abspath(__file__))
for path in (
    os.path.abspath(__file__),
    beside + "/honest.py",
    beside + "/answers",
    beside + "/written",
    beside + "/../written",
    "../written",
    "/written",
    "/usr/bin/written",
    "/etc/passwd",
    "/var/tmp/lab-hostile-written",
):
    try:
        with open(path, "a") as file:
            file.write("# written by somebody else\n")
    except OSError:
        pass
    for change in lambda: os.chmod(path, 0o777), lambda: os.remove(path):
        try:
            change()
        except OSError:
            pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
