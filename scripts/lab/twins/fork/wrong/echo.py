# wrong: subprocess runs another program, which prints the line of the child.
# fails: process
import argparse
import subprocess

options = argparse.ArgumentParser()
options.add_argument("--value", default="bar")
options.add_argument("--child-value", default="baz")
options.add_argument("--forever", action="store_true")
options.add_argument("--interval", type=float, default=5)
options = options.parse_args()

foo = options.value
child = subprocess.Popen(["echo", "Child: ", options.child_value])
print("Parent: ", foo)
child.wait()
