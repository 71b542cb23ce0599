"""Run one file of the zoo in a process of its own: pickled calls on stdin, pickled results on stdout.

A user's process: no test runner, no verifier, no trace function.
"""

import importlib.util
import pickle
import sys
import warnings


def main():
    """Read (path, function, list of argument lists), call each in order, write the list of results."""
    path, name, calls = pickle.load(sys.stdin.buffer)
    specification = importlib.util.spec_from_file_location("zoo_isolated", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules["zoo_isolated"] = module
    warnings.simplefilter("ignore")
    specification.loader.exec_module(module)
    results = [getattr(module, name)(*call) for call in calls]
    # A named tuple has a class that only this process knows.
    pickle.dump([tuple(result) if isinstance(result, tuple) else result for result in results], sys.stdout.buffer)


if __name__ == "__main__":
    main()
