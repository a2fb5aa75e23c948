# contained: pass
# tiers: full partial
# Reads the environment, the memory and the open files of everybody else.
import os
import sys

mine = os.getpid()
for name in filter(str.isdigit, os.listdir("/proc")):
    if int(name) == mine:
        continue
    try:
        with open(f"/proc/{name}/environ", "rb") as file:
            if b"LAB_HOSTILE_TOKEN" in file.read():
                print("ESCAPED: the environment of", name)
    except OSError:
        pass
    try:
        with open(f"/proc/{name}/cwd/answers") as file:
            print("ESCAPED: the folder of", name)
    except OSError:
        pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
