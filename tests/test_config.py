"""The table ``[tool.attn_verify]``: what is read, what wins, and what is refused."""

from pathlib import Path

import pytest

from attn_verify.config import KEYS, read_config
from attn_verify.errors import DocumentError

GOOD = """
[tool.attn_verify]
budget = 3
limit = 60
seconds = 2.5
seed = 7
dtypes = "float64"
spec = ["paper", "causal=lower_right"]
save_dir = "found"
"""


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    return tmp_path


def test_every_key_is_read_from_the_nearest_file_above(tmp_path: Path) -> None:
    inner = written(tmp_path, GOOD) / "src" / "package"
    inner.mkdir(parents=True)
    config = read_config(inner)
    assert config.path == tmp_path / "pyproject.toml"
    assert set(config.values) == set(KEYS)
    assert config.get("budget", None, 12) == 3
    assert config.get("budget", 5, 12) == 5
    assert config.values["dtypes"] == ["float64"]


def test_no_file_and_no_table_are_no_defaults(tmp_path: Path) -> None:
    assert read_config(written(tmp_path, "[project]\nname = 'x'\n")).get("seed", None, 0) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.attn_verify]\nbudgets = 3\n", "known keys: budget"),
        ("[tool.attn_verify]\nbudget = 'much'\n", "budget: a number"),
        ("[tool.attn_verify]\nbudget = true\n", "budget: a number"),
        ("[tool.attn_verify]\nseed = -1\n", "seed: a whole number"),
        ("[tool.attn_verify]\ndtypes = [1]\n", "dtypes: a list of texts"),
        ("[tool]\nattn_verify = 3\n", "write a table"),
        ("[tool.attn_verify\n", "it cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        read_config(written(tmp_path, text))
