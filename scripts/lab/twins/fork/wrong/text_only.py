# wrong: it prints what two processes would print, and there is only one.
# fails: process one-child
import argparse

options = argparse.ArgumentParser()
options.add_argument("--value", default="bar")
options.add_argument("--child-value", default="baz")
options.add_argument("--forever", action="store_true")
options.add_argument("--interval", type=float, default=5)
options = options.parse_args()

foo = options.value
print("Parent: ", foo)
foo = options.child_value
print("Child: ", foo)
