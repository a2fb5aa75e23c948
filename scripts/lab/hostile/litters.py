# contained: pass
# tiers: full partial
# Leaves many small files, and folders that nobody may open.
import os
import sys

for number in range(500):
    with open(f"litter{number}", "w") as file:
        file.write("x")
os.mkdir("closed", 0)
folder = "."
for number in range(20):
    folder = f"{folder}/deep{number}"
    os.mkdir(folder)
while folder != ".":
    try:
        os.chmod(folder, 0)
    except OSError:
        pass
    folder = os.path.dirname(folder)
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
