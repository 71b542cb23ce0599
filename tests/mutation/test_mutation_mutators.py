"""Every mutator does what it says, and nothing where it has nothing to say."""

import ast
from pathlib import Path

import pytest
from mutants import mutants
from mutators import MUTATORS
from places import places

# mutator, a line of a function of Q, K, V, mask, and what the line becomes, in order.
DOES = [
    ("arithmetic", "S = Q - K", ["S = Q + K"]),
    ("arithmetic", "S = Q @ K", ["S = Q * K"]),
    ("arithmetic", "S /= 2", ["S *= 2", "S -= 2", "S = 2"]),
    ("arithmetic", "S = -Q", ["S = Q"]),
    ("axis", "S = Q.max(axis=1)", ["S = Q.max(axis=0)", "S = Q.max(axis=-1)", "S = Q.max(axis=-2)",
                                    "S = Q.max(axis=None)"]),
    ("axis", "S = np.sum(Q, 0)", ["S = np.sum(Q, 1)", "S = np.sum(Q, -1)", "S = np.sum(Q, -2)", "S = np.sum(Q, None)"]),
    ("axis", "S = Q.swapaxes(-1, -2)", ["S = Q.swapaxes(-2, -1)", "S = Q.swapaxes(-2, -2)", "S = Q.swapaxes(-1, -3)"]),
    ("boolean", "S = Q & K", ["S = Q | K", "S = Q", "S = K"]),
    ("boolean", "S = Q and K", ["S = Q or K", "S = Q", "S = K"]),
    ("boolean", "S = Q if not K else V", ["S = Q if K else V", "S = Q if True else V", "S = Q if False else V"]),
    ("broadcast", "S = Q[:, None]", ["S = Q[None, :]", "S = Q[:]"]),
    ("broadcast", "S = Q[None]", ["S = Q"]),
    ("broadcast", "S = Q.reshape(-1, 1)", ["S = Q.reshape(1, -1)"]),
    ("buffer_dtype", "S = np.zeros(3)", ["S = np.zeros(3, dtype=np.float32)", "S = np.zeros(3, dtype=np.float16)"]),
    ("buffer_dtype", "S = np.zeros(3, dtype=Q.dtype)", ["S = np.zeros(3, dtype=np.float32)",
                                                        "S = np.zeros(3, dtype=np.float16)"]),
    ("buffer_dtype", "S = Q.astype(float)", ["S = Q.astype(np.float32)"]),
    ("cast", "S = Q @ K", ["S = (Q @ K).astype(np.float32)", "S = (Q @ K).astype(np.float16)"]),
    ("cast", "S += np.exp(Q)", ["S += np.exp(Q).astype(np.float32)", "S += np.exp(Q).astype(np.float16)"]),
    ("comparison", "S = Q < K", ["S = Q <= K", "S = Q > K"]),
    ("comparison", "S = Q is not K", ["S = Q is K"]),
    ("constant", "S = 3", ["S = 4", "S = 2", "S = 0", "S = 6", "S = -3"]),
    ("constant", "S = Q ** -1", ["S = Q ** 0", "S = Q ** (-2)", "S = Q ** 0", "S = Q ** (-2)", "S = Q ** 1"]),
    ("constant", "S = 0.123456789", ["S = 1.123456789", "S = -0.876543211", "S = 0.0", "S = 0.246913578",
                                     "S = -0.123456789", "S = 0.12345691245678898", "S = 0.12345678901234568",
                                     "S = 0.1234568", "S = 0.1235"]),
    ("dropped_call", "S = np.exp(Q)", ["S = Q"]),
    ("dropped_call", "S = Q.copy()", ["S = Q"]),
    ("dropped_call", "S = np.where(mask, Q, K)", ["S = Q", "S = K"]),
    ("dropped_statement", "Q = Q + 1", ["pass"]),
    ("dropped_statement", "Q[0] = 1", ["pass"]),
    ("dropped_statement", "np.exp(Q, out=Q)", ["pass"]),
    ("dropped_statement", "S /= 2", ["pass"]),
    ("dropped_term", "S = Q + K", ["S = Q", "S = K"]),
    ("dropped_term", "S = Q / K", ["S = Q"]),
    ("einsum", "S = np.einsum('id,jd->ij', Q, K)", ["S = np.einsum('id,jd->ji', Q, K)",
                                                    "S = np.einsum('jd,id->ij', Q, K)",
                                                    "S = np.einsum('di,jd->ij', Q, K)",
                                                    "S = np.einsum('id,dj->ij', Q, K)"]),
    ("fill", "S = np.where(mask, Q, -np.inf)", ["S = np.where(mask, Q, -10000.0)",
                                                "S = np.where(mask, Q, -1000000000.0)",
                                                "S = np.where(mask, Q, 0.0)", "S = np.where(mask, Q, np.inf)"]),
    ("fill", "Q[mask] = -1e9", ["Q[mask] = 1e-09", "Q[mask] = -10000.0", "Q[mask] = -30.0", "Q[mask] = 1000000000.0"]),
    ("function", "S = np.exp(Q)", ["S = np.exp2(Q)", "S = np.expm1(Q)"]),
    ("function", "S = Q.max()", ["S = Q.min()", "S = Q.mean()"]),
    ("function", "S = sum(Q)", ["S = max(Q)", "S = len(Q)"]),
    ("function", "S = np.add.reduce(Q)", ["S = np.multiply.reduce(Q)"]),
    ("function", "S = np.finfo(float).min", ["S = np.finfo(float).max"]),
    ("in_place", "Q = Q - K", ["Q -= K"]),
    ("index", "S = Q[1]", ["S = Q[0]", "S = Q[2]"]),
    ("index", "S = Q[i, :]", ["S = Q[i - 1, :]", "S = Q[i + 1, :]"]),
    ("initial", "S = np.full(3, -np.inf)", ["S = np.full(3, 0.0)", "S = np.full(3, -1.0)",
                                           "S = np.full(3, -1000000000.0)"]),
    ("initial", "S = -math.inf", ["S = 0.0", "S = -1.0", "S = -1000000000.0"]),
    ("keepdims", "S = Q.max(1, keepdims=True)", ["S = Q.max(1, keepdims=False)"]),
    ("other_role", "S = f(Q)", ["S = f(K)", "S = f(V)"]),
    ("polarity", "S = ~mask", ["S = mask"]),
    ("polarity", "S = Q[mask]", ["S = Q[~mask]"]),
    ("polarity", "S = np.where(i <= j, Q, 0)", ["S = np.where(~(i <= j), Q, 0)"]),
    ("range", "S = range(n)", ["S = range(n - 1)", "S = range(1, n)"]),
    ("range", "S = range(0, n, 2)", ["S = range(0, n - 1, 2)", "S = range(1, n, 2)", "S = range(n)"]),
    ("range", "S = [k for k in K]", ["S = [k for k in K[:-1]]", "S = [k for k in K[1:]]"]),
    ("slice", "S = Q[i:j]", ["S = Q[i + 1:j]", "S = Q[i:j - 1]", "S = Q[i:j + 1]", "S = Q[i:]", "S = Q[i - 1:j]",
                              "S = Q[:j]"]),
    ("slice", "S = Q[::-1]", ["S = Q[1::-1]", "S = Q[:-1:-1]", "S = Q[:]", "S = Q[::1]"]),
    ("swapped_arguments", "S = np.outer(Q, K)", ["S = np.outer(K, Q)"]),
    ("swapped_arguments", "return Q, K", ["return (K, Q)"]),
    ("swapped_operands", "S = Q @ K", ["S = K @ Q"]),
    ("swapped_operands", "S = Q - K", ["S = K - Q"]),
    ("transpose", "S = Q @ K.T", ["S = Q @ K"]),
    ("transpose", "S = np.swapaxes(Q, 0, 1)", ["S = Q"]),
    ("transpose", "S = Q.transpose(0, 2, 1)", ["S = Q"]),
]  # fmt: skip

# mutator and a line that it leaves alone.
LEAVES = [
    ("arithmetic", "assert mask, f'{1 + 2}'"),
    ("arithmetic", "raise ValueError(1 + 2)"),
    ("arithmetic", "return Q\n    S = 1 + 2"),
    ("axis", "S = Q.max()"),
    ("boolean", "S = Q + K"),
    ("broadcast", "S = Q[:, 0]"),
    ("buffer_dtype", "S = np.zeros(3, dtype=bool)"),
    ("cast", "S = len(Q)"),
    ("comparison", "S = Q in K"),
    ("constant", "'text 3'"),
    ("constant", "S = Q.max(axis=1)"),
    ("constant", "S = zip(Q, K, strict=True)"),
    ("constant", "S: 3 = Q"),
    ("constant", "log.debug('%d', 3)"),
    ("dropped_call", "S = f(Q)"),
    ("dropped_statement", "S = Q"),
    ("dropped_term", "S = Q @ K"),
    ("einsum", "S = f('id,jd->ij', Q, K)"),
    ("fill", "S = -math.inf"),
    ("function", "S = Q.max"),
    ("in_place", "S = Q - K"),
    ("index", "S = Q[mask]"),
    ("index", "S = Q['top']"),
    ("initial", "Q[mask] = -np.inf"),
    ("keepdims", "S = Q.max()"),
    ("other_role", "S = f(mask)"),
    ("polarity", "S = mask.shape"),
    ("polarity", "S = mask is None"),
    ("range", "S = len(Q)"),
    ("slice", "S = Q[1]"),
    ("swapped_arguments", "S = np.maximum(Q, K)"),
    ("swapped_operands", "S = Q + K"),
    ("transpose", "S = Q.shape"),
]


def changed(name: str, line: str) -> list[str]:
    """The lines that one mutator makes of a line in a function."""
    tree = ast.parse(f"def f(Q, K, V, mask):\n    {line}")
    found = []
    for place in list(places(tree)):
        for new in MUTATORS[name](place):
            with place.replaced(new):
                found.append(ast.unparse(tree).partition("\n    ")[2])
    return found


@pytest.mark.parametrize(("name", "line", "expected"), DOES, ids=lambda value: str(value)[:40])
def test_a_mutator_does_what_it_says(name: str, line: str, expected: list[str]) -> None:
    assert changed(name, line) == expected


@pytest.mark.parametrize(("name", "line"), LEAVES, ids=lambda value: str(value)[:40])
def test_a_mutator_leaves_alone_what_is_not_its_own(name: str, line: str) -> None:
    assert changed(name, line) == []


def test_every_mutator_is_shown_to_act_and_to_abstain() -> None:
    assert {name for name, *_ in DOES} == set(MUTATORS) == {name for name, *_ in LEAVES}


def test_the_tree_is_left_as_it_was() -> None:
    tree = ast.parse("def f(Q, K):\n    S = Q @ K.T\n    return S")
    before = ast.dump(tree)
    for place in list(places(tree)):
        for mutator in MUTATORS.values():
            for new in mutator(place):
                with place.replaced(new):
                    pass
    assert ast.dump(tree) == before


def test_every_mutator_finds_something_in_the_zoo() -> None:
    # Together these files have all that mutators look for.
    names = (
        "finite_fill", "blocked_two_pass", "einsum_all", "where_mask", "reversed_keys", "maximum_accumulate",
        "additive_mask",
    )  # fmt: skip
    folder = Path(__file__).parents[1] / "zoo" / "correct"
    found = {mutant.mutator for name in names for mutant in mutants(folder / f"{name}.py")}
    assert found == set(MUTATORS)
