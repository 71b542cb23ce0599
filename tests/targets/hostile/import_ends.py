# expect: error
"""Its import ends the process."""

import os

os._exit(5)
