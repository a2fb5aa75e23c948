# wrong: the note's results are typed in.
# fails: lines
import argparse

options = argparse.ArgumentParser()
options.add_argument("--stop", type=int, default=9)
options.add_argument("--top", type=int, default=4)
options.add_argument("--pattern", default="python")
options.add_argument("lines", nargs="*", default=["I love u, Anya", "python is simple"])
options = options.parse_args()

for i in [0, 1, 2, 3, 4, 5, 6, 7, 8]:
    print(i)
for i in [0, 1, 2, 3]:
    print(i)
print("start grep")
print("python is simple")
