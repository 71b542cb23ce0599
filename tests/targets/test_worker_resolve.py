"""TARGET strings and callables: what they resolve to, and the text of every message where they do not."""

import functools
import os
from pathlib import Path

import numpy as np
import pytest

from attn_verify.errors import TargetError
from attn_verify.targets.resolve import resolve
from attn_verify.targets.runner import Runner

SOURCE = '''
import numpy as np

class Attention:
    def __init__(self, scale):
        self.scale = scale

    @staticmethod
    def forward(Q, K, V=None, *, scale: float = 0.5, eps=np.float64(1e-6), mask=np.inf):
        """Weigh the values.

        More words.
        """
        return V

    def __call__(self, Q, K, V):
        return V

def attention(Q, K, V):
    return V

def _softmax(x):
    return x

layer = Attention(1)
number = 3
'''


def top_level(Q: np.ndarray, K: np.ndarray, V: np.ndarray) -> np.ndarray:
    """A function at the top level of a file."""
    return V


@functools.lru_cache
def cached(n: int) -> int:
    return n


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "layers.py").write_text(SOURCE)
    (tmp_path / "notes.txt").write_text("no code")
    (tmp_path / "empty.py").write_text("x = 1\n")
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner" / "__init__.py").write_text("")
    (package / "inner" / "core.py").write_text("from ..tools import f\ndef attention(Q, K, V):\n    return f(V)\n")
    (package / "tools.py").write_text("def f(x):\n    return x\n")
    (tmp_path / "random.py").write_text("def attention(Q, K, V):\n    return V\n")
    (tmp_path / "with-dash.py").write_text("import tool_of_mine\ndef attention(Q):\n    return tool_of_mine.f(Q)\n")
    (tmp_path / "tool_of_mine.py").write_text("def f(x):\n    return x\n")
    return tmp_path


MESSAGES = {
    "": "target ''\n  got an empty text\n  write path/to/file.py::function or package.module:function",
    " \t": "target ' \\t'\n  got an empty text\n  write path/to/file.py::function or package.module:function",
    "layers.py::att\0n": "target 'layers.py::att\\x00n'\n  got a character that cannot be printed\n"
    "  write path/to/file.py::function or package.module:function",
    "layers.py": "target 'layers.py'\n  no function is named; its functions are attention\n"
    "  write layers.py::attention",
    "empty.py": "target 'empty.py'\n  no function is named; it defines no function\n  write empty.py::function",
    "layers.py:attention": "target 'layers.py:attention'\n  a file and its function are joined by two colons\n"
    "  layers.py::attention",
    "layers.py::": "target 'layers.py'\n  no function is named; its functions are attention\n"
    "  write layers.py::attention",
    "layers.py::a b": "target 'layers.py::a b'\n  'a b' is no name of a function\n"
    "  write path/to/file.py::function or package.module:function",
    "::attention": "target '::attention'\n  no file is named\n"
    "  write path/to/file.py::function or package.module:function",
    "layer.py::attention": "target 'layer.py::attention'\n  there is no file 'layer.py'\n  did you mean layers.py?",
    "nowhere/x.py::f": "target 'nowhere/x.py::f'\n  there is no file 'nowhere/x.py'\n  check the path",
    "package::f": "target 'package::f'\n  'package' is a directory\n  name the file: directory/file.py::function",
    "package": "target 'package'\n  this is a directory\n  write path/to/file.py::function or package.module:function",
    "notes.txt::f": "target 'notes.txt::f'\n  'notes.txt' is not a Python file\n  name a file that ends in .py",
    "attention": "target 'attention'\n  no function is named\n"
    "  write path/to/file.py::function or package.module:function",
    "layers:": "target 'layers:'\n  no function is named\n  write path/to/file.py::function or package.module:function",
    "a..b:f": "target 'a..b:f'\n  'a..b' is no name of a module\n"
    "  write path/to/file.py::function or package.module:function",
    "x" * 300 + ".py::f": None,
}


@pytest.mark.parametrize("text", MESSAGES)
def test_a_malformed_target_is_explained(project: Path, text: str) -> None:
    with pytest.raises(TargetError) as caught:
        resolve(text)
    expected = MESSAGES[text]
    assert expected is None or str(caught.value) == expected
    assert len(str(caught.value)) < 600


IMPORTS = {
    "layers.py::atention": "target layers.py::atention\n  layers.py has no function 'atention'\n"
    "  did you mean attention?",
    "layers.py::softmax": "target layers.py::softmax\n  layers.py has no function 'softmax'\n"
    "  it has Attention, attention, layer",
    "layers.py::Attention.backward": "target layers.py::Attention.backward\n  Attention has no function 'backward'\n"
    "  it has forward",
    "layers.py::number": "target layers.py::number\n  number is no function but of type int\n  name a function",
    "empty.py::f": "target empty.py::f\n  empty.py has no function 'f'\n  it defines no function",
    "nowhere.inside:f": "target nowhere.inside:f\n  there is no module 'nowhere'\n  check the spelling, or install it",
    "package.nothing:f": "target package.nothing:f\n  there is no module 'package.nothing'\n"
    "  check the spelling, or install it",
    "math:sqrt": "target math:sqrt\n  math is not written in Python\n  name a module with Python source",
}


@pytest.mark.parametrize("text", IMPORTS)
def test_a_target_that_is_not_there_is_explained(project: Path, runner: Runner, text: str) -> None:
    with pytest.raises(TargetError) as caught:
        runner.describe(text)
    assert str(caught.value) == IMPORTS[text]


BROKEN = {
    "raise ValueError('no device')": "importing it raises ValueError at broken.py:2: no device\n"
    "  a target must be importable without side conditions",
    "import sys; sys.exit(3)": "it exits while it is imported at broken.py:2 (code 3)\n"
    '  put what runs the program under if __name__ == "__main__":',
    "def f(:": "broken.py:2 is not valid Python: invalid syntax\n  the line reads: def f(:",
    "import nothing_like_it": "it imports 'nothing_like_it', which is not installed at broken.py:2\n"
    "  install nothing_like_it",
    "import nothing_like_it.inside": "it imports 'nothing_like_it', which is not installed at broken.py:2\n"
    "  install nothing_like_it",
    "while True: pass": "importing it takes more than 0.5 s\n  keep long work out of the module's top level",
    "import os; os._exit(0)": "it ends the process while it is imported\n"
    '  put what runs under if __name__ == "__main__":',
    "import ctypes; ctypes.string_at(0)": "importing it ends its process: the process was ended by signal SIGSEGV\n"
    "  import it with Python alone to see why",
    "x = bytearray(1 << 40)": "importing it needs more memory than allowed\n"
    "  keep large data out of the module's top level",
    "raise KeyboardInterrupt": "importing it raises KeyboardInterrupt at broken.py:2: \n"
    "  a target must be importable without side conditions",
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_target_that_cannot_be_imported_is_explained(project: Path, runner: Runner, code: str) -> None:
    (project / "broken.py").write_text(f"import math\n{code}\n")
    with pytest.raises(TargetError) as caught:
        runner.describe("broken.py::f", seconds=0.5)
    assert str(caught.value) == f"target broken.py::f\n  {BROKEN[code]}"


def test_bytes_that_are_no_text_are_explained(project: Path, runner: Runner) -> None:
    (project / "broken.py").write_bytes(b"x = '\xff\xfe'\n")
    with pytest.raises(TargetError, match=r"broken\.py"):
        runner.describe("broken.py::f")


@pytest.mark.parametrize(
    "target",
    [
        "layers.py::attention", "layers:attention", "layers:layer", "layers.py::Attention.forward",
        "package/inner/core.py::attention", "package.inner.core:attention", "random.py::attention",
        "with-dash.py::attention", " layers.py::attention ",
    ],
)  # fmt: skip
def test_a_target_is_found(project: Path, runner: Runner, target: str) -> None:
    assert runner.describe(target)["parameters"][0]["name"] == "Q"


def test_what_a_description_holds(project: Path, runner: Runner) -> None:
    found = runner.describe("layers.py::Attention.forward")
    assert found["doc"] == "Weigh the values."
    assert (found["qualname"], found["line"], found["is_class"]) == ("Attention.forward", 8, False)
    assert os.path.samefile(found["file"], project / "layers.py")
    plain = {"kind": "POSITIONAL_OR_KEYWORD", "has_default": False, "annotation": None}
    option = {"kind": "KEYWORD_ONLY", "has_default": True, "annotation": None}
    assert found["parameters"] == [
        {**plain, "name": "Q"},
        {**plain, "name": "K"},
        {**plain, "name": "V", "has_default": True, "default": {"value": None}},
        {**option, "name": "scale", "default": {"value": 0.5}, "annotation": "float"},
        {**option, "name": "eps", "default": {"value": 1e-06}},
        {**option, "name": "mask", "default": {"other": "inf"}},
    ]
    assert runner.describe("layers.py::Attention")["is_class"]


def test_an_edited_file_is_read_again(project: Path, runner: Runner) -> None:
    for name in ("alpha", "omega"):
        (project / "edited.py").write_text(f"def f({name}):\n    pass\n")
        assert runner.describe("edited.py::f")["parameters"][0]["name"] == name
    assert not (project / "__pycache__").exists()


def test_functions_have_an_address(runner: Runner) -> None:
    assert str(resolve(top_level)) == f"{os.path.abspath(__file__)}::top_level"
    assert str(resolve(cached)) == f"{os.path.abspath(__file__)}::cached"


CALLABLES = {
    "a lambda": (lambda Q: Q, "at the top level of a file"),
    "a closure": (lambda Q, s=1: Q * s, "at the top level of a file"),
    "a partial": (functools.partial(top_level, 1), "at the top level of a file"),
    "a ufunc": (np.exp, "does not come from a Python file"),
    "a builtin": (len, "does not come from a Python file"),
    "no function": (3, "which is no function"),
}


@pytest.mark.parametrize("name", CALLABLES)
def test_a_callable_without_an_address_is_explained(name: str) -> None:
    target, cause = CALLABLES[name]
    with pytest.raises(TargetError, match=cause) as caught:
        resolve(target)
    assert "path/to/file.py::function" in str(caught.value)


def test_a_name_that_means_something_else_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    function = top_level
    monkeypatch.setitem(globals(), "top_level", cached)
    with pytest.raises(TargetError, match="something else by the name top_level"):
        resolve(function)


def test_a_path_through_the_parent_directory_is_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "code" / "a.py").write_text("def f(): pass\n")
    monkeypatch.chdir(tmp_path / "here")
    assert resolve("../code/a.py::f").path == str(tmp_path / "code" / "a.py")
