"""The constants of the rounding bounds: numbers of unit roundoffs, each derived in ``docs/explanation/rounding.md``."""

SCALE = 8  # c₁: computing σ and multiplying by it, on one side or split over both
EXP = 8  # c: an exponential, a hyperbolic tangent or a logarithm within 4 units in the last place
RESCALE = 2  # c₂: a reserve for each exponential
DIVIDE = 6  # c₃: dividing by the row sum, or multiplying by its reciprocal, before or after V; merging; output
SHIFT = 3  # κ: subtracting the maximum, and changing to base 2
BIAS = 2  # adding a bias to the scores, and bringing it there
CAP = 8  # a softcap, beyond its tanh: the constant twice, quotient and product
LOG = 16  # a log-sum-exp: logarithm, sum, change of base, conversion, the exponentials of a merge
