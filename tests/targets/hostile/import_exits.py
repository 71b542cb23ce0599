# expect: error
"""Its import exits."""

import sys

sys.exit(4)
