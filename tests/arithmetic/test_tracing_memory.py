"""Which memory results lie in: the model returns the very argument, a view or a copy exactly where NumPy does.

Every row of ``operations/memory.txt`` is run on arrays ``a`` of several layouts.  Compared are whether the result is
``a``, whether it is contiguous (so whether ``ravel`` of it is a view), and both after an entry of each was written.
"""

import importlib.util
from pathlib import Path

import pytest

_PLACE = Path(__file__).parent / "operations"
_SPEC = importlib.util.spec_from_file_location("memory_harness", _PLACE / "harness.py")
harness = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(harness)

ROWS = (_PLACE / "memory.txt").read_text().splitlines()
OPERANDS = ("p.T", "t.transpose(1, 0, 2)", "p[0, 0, ...]", "s", "k")
CODE = """
a = {operand}
r = {row}
seen = [r is a]
if isinstance(r, np.ndarray):
    seen += [np.shares_memory(r, np.ravel(r)), np.shares_memory(r, np.ravel(r.T))]
for target, place, value in ((r, 0, 77), (a, -1, 88)):
    try:
        target[(place,) * np.ndim(target)] = value
    except (ValueError, TypeError) as error:
        seen.append(type(error).__name__)
return seen, a, r
"""


def run(row, operand):
    """Return what the model and NumPy do."""
    code = CODE.strip().format(operand=operand, row=row).replace("\n", "\\n")
    return harness.run_exact(code)[0], harness.run_floats(code)


@pytest.mark.parametrize("start", range(0, len(ROWS), 50))
def test_results_share_memory_where_those_of_numpy_do(start):
    for row in ROWS[start : start + 50]:
        found = [(operand, *run(row, operand)) for operand in OPERANDS]
        for operand, exact, floats in found:
            if exact[0] != "refuses":
                assert harness.agree(exact, floats), f"{row} with {operand}\nexact  {exact}\nfloats {floats}"
        assert any(exact[0] != "refuses" for _, exact, _ in found), f"{row} refused with every operand"


@pytest.mark.parametrize(("wrong", "right"), [("a", "a.copy()"), ("a[:]", "a"), ("a.T.copy()", "a.T.copy('K')")])
def test_the_harness_tells_the_argument_a_view_a_copy_and_layouts_apart(wrong, right):
    assert not harness.agree(run(wrong, "p")[0], run(right, "p")[1])
    assert harness.agree(*run(right, "p"))
