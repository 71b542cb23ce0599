# expect: error
"""A module is missing."""

import module_that_nobody_has

normalise = module_that_nobody_has.softmax
