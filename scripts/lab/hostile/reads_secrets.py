# contained: pass
# tiers: full partial
# Reads other submissions and the answers beside them, and what a home has to hide.
import glob
import os
import sys

beside = os.path.dirname(os.path.abspath(__file__))
wanted = glob.glob(beside + "/*") + glob.glob(os.path.expanduser("~root/.ssh/*")) + glob.glob("/home/*/.ssh/*")
wanted += [beside + "/answers", beside + "/honest.py", beside + "/../answers", "/etc/shadow"]
for path in wanted:
    try:
        if not os.path.samefile(path, __file__):
            with open(path, "rb") as file:
                print("ESCAPED: read", path, len(file.read()))
    except OSError:
        pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
