"""Let the tests of the mutation score import its modules, and those of the zoo, by name."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (str(HERE), str(HERE.parent / "zoo")):
    if folder not in sys.path:
        sys.path.insert(0, folder)
