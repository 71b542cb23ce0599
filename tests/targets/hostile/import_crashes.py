# expect: error
"""Its import crashes."""

import ctypes

ctypes.string_at(0)
