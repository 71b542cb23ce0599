"""What the package promises about time and memory, each against the naive way in the same run.

As part of the tests every benchmark runs once, without a clock.  For the numbers::

    python -m pytest tests/benchmarks --benchmark-enable

Beside each stands a plain test of what makes it fast, which no busy machine can upset.
"""

import sys
from dataclasses import replace

import mpmath
import numpy as np
import pytest
import scipy.special
import sympy

from attn_verify import AttentionSpec, Sizes, attention, check, crosscheck, derive
from attn_verify.arithmetic import attention as third_reading
from attn_verify.arithmetic.ball import BALL, ends, precision
from attn_verify.checks import compare
from attn_verify.checks.oracle import enclose
from attn_verify.checks.rounding import FloatFormat, layer_bound
from attn_verify.strategies import input_shapes
from attn_verify.worked import load

MULTIHEAD = Sizes(n=3, d_model=5, d_k=3, d_v=3, heads=4, d_out=3)
SIXTEEN = Sizes(n=16, d_k=16, d_v=16)
SIXTY_FOUR = Sizes(n=64, d_k=64, d_v=64)
SEED = 20250101

SIZE_FLAGS = ["--n", "3", "--d-model", "5", "--d-k", "3", "--d-v", "3", "--heads", "4", "--d-out", "3"]
DERIVE = f"from attn_verify import derive; d = derive({MULTIHEAD.to_dict()})"
ALL_STAGES = "[stage.entries for stage in d.stages]"


def draw(sizes, *batch):
    """Standard normal inputs of a layer, by name, with batch axes in front."""
    rng = np.random.default_rng(SEED)
    return {name: rng.standard_normal((*batch, *shape)) for name, shape in input_shapes(sizes).items()}


def agree(left, right, inputs, derivation):
    """Both lie within the rounding bound of the exact value, so within twice the bound of each other."""
    bound = layer_bound(inputs, derivation.sizes, derivation.spec, derivation.allowed, FloatFormat.of(np.float64))
    assert np.all(np.abs(left - right) <= 2 * bound), f"seed {SEED}"


def loaded_after(code):
    """The modules that a fresh interpreter has loaded after running ``code``."""
    import subprocess

    report = "import sys; print('\\n'.join(m for m in sys.modules if '.' not in m), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def command(*arguments):
    return f"import sys\nfrom attn_verify.cli import main\ntry:\n    main({list(arguments)!r})\nexcept SystemExit:\n    pass"


def process(*arguments):
    # The conftest of this folder, which pytest has loaded under a name of its own.
    from conftest_of_benchmarks import run_process

    return run_process(*arguments)
