"""Mutants differ from the file and from one another, and a sample of them is even and repeatable."""

import ast
from collections import Counter
from pathlib import Path

import pytest
from mutants import Mutant, fingerprint, mutants, of_files, sample

TEXT = '''"""title: 1 + 1"""

import numpy as np


def attention(Q, K, V):
    """Add 2 and 3."""
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S -= S.max(axis=1, keepdims=True)
    return np.exp(S) @ V
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.py"
    path.write_text(TEXT, "utf-8")
    return path


def test_mutants_compile_and_are_all_different(file: Path) -> None:
    found = mutants(file)
    codes = {fingerprint(compile(mutant.source, "f", "exec")) for mutant in found}
    assert fingerprint(compile(TEXT, "f", "exec")) not in codes
    assert len({mutant.source for mutant in found}) == len(found) > 30


def test_a_mutant_says_where_and_what(file: Path) -> None:
    found = [mutant for mutant in mutants(file) if mutant.what == "Q @ K.T → K.T @ Q"]
    assert [(mutant.line, mutant.mutator) for mutant in found] == [(8, "swapped_operands")]
    assert found[0].name.startswith("small:8:swapped_operands:")
    assert found[0].diff().splitlines() == [
        "-    S = Q @ K.T / np.sqrt(Q.shape[1])",
        "+    S = K.T @ Q / np.sqrt(Q.shape[1])",
    ]


def test_header_docstring_and_imports_stay(file: Path) -> None:
    for mutant in mutants(file):
        tree = ast.parse(mutant.source)
        assert ast.get_docstring(tree) == "title: 1 + 1"
        assert ast.get_docstring(tree.body[2]) == "Add 2 and 3."
        assert ast.unparse(tree.body[1]) == "import numpy as np"


def test_a_change_that_compiles_to_the_same_code_is_none(tmp_path: Path) -> None:
    path = tmp_path / "same.py"
    # 2 * 1 and 1 * 2 are one constant to the compiler, and so is a sum that is swapped.
    path.write_text("x = 2 * 1\n", "utf-8")
    texts = [mutant.source for mutant in mutants(path)]
    assert "x = 2\n" not in texts
    assert "x = 2 + 1\n" in texts


def _made(files: int, kinds: dict[str, int]) -> list[Mutant]:
    return [
        Mutant(Path(f"{file}.py"), 1, kind, "", f"{file} {kind} {number}")
        for file in range(files)
        for kind, count in kinds.items()
        for number in range(count)
    ]


def test_a_sample_is_even_over_mutators_and_files() -> None:
    chosen = sample(_made(5, {"many": 40, "few": 2, "some": 10}), 60, seed=0)
    kinds = Counter(mutant.mutator for mutant in chosen)
    assert kinds == {"many": 25, "some": 25, "few": 10}
    files = Counter(mutant.path for mutant in chosen)
    assert max(files.values()) - min(files.values()) <= 1


def test_a_sample_depends_on_the_seed_alone_and_grows_at_its_end() -> None:
    found = _made(4, {"a": 9, "b": 3})
    names = [mutant.name for mutant in sample(found, 20, seed=1)]
    assert names == [mutant.name for mutant in sample(found, 30, seed=1)][:20]
    assert names != [mutant.name for mutant in sample(found, 20, seed=2)]
    assert len(sample(found, 1000, seed=1)) == len(found) == len({m.name for m in sample(found, 1000, seed=1)})


def test_nothing_to_mutate_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "empty.py"
    path.write_text('"""Nothing."""\n', "utf-8")
    with pytest.raises(ValueError, match="nothing to mutate"):
        of_files([path])
