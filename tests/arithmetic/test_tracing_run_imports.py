"""Which modules a target gets: models in its own files however they import them, real ones everywhere else."""

import builtins
import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.tracing.imports import ExactImports, OwnFiles, fresh_source
from attn_verify.arithmetic.tracing.session import RefusalError, Session, running

PACKAGE = Path(json.__file__).resolve().parents[1]


def model(name: str, **names: Any) -> ModuleType:
    found = ModuleType(name)
    vars(found).update(names)
    return found


@pytest.fixture
def imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExactImports]:
    monkeypatch.syspath_prepend(str(tmp_path))
    linalg = model("numpy.linalg", norm="model of norm")
    special = model("scipy.special", softmax="model of softmax")
    models = {
        "numpy": model("numpy", exp="model of exp", linalg=linalg),
        "scipy": model("scipy", special=special),
        "math": model("math", sqrt="model of sqrt"),
    }
    found = ExactImports(OwnFiles([str(tmp_path)]), models)
    with fresh_source(found.own), found.installed(), running(Session(Graph(), {})):
        yield found
    for name in [name for name in sys.modules if name.endswith("_on_trial")]:
        del sys.modules[name]


def run(folder: Path, code: str, name: str = "target_on_trial") -> Any:
    (folder / f"{name}.py").write_text(code)
    importlib.invalidate_caches()
    __import__(name)
    return sys.modules[name]


WAYS = {
    "import numpy as np\nfound = np.exp": "exp",
    "import numpy\nfound = numpy.exp": "exp",
    "from numpy import exp as found": "exp",
    "from numpy import *\nfound = exp": "exp",
    "def f(g=__import__('numpy').exp):\n    return g\nfound = f()": "exp",
    "def f():\n    from numpy import exp\n    return exp\nfound = f()": "exp",
    "class A:\n    import numpy as np\nfound = A.np.exp": "exp",
    "import importlib\nfound = importlib.import_module('numpy').exp": "exp",
    "exec('import numpy')\nfound = numpy.exp": "exp",
    "exec('import numpy', globals())\nfound = numpy.exp": "exp",
    "space = {}\nexec('import numpy', space)\nfound = space['numpy'].exp": "exp",
    "import numpy.linalg as la\nfound = la.norm": "norm",
    "import numpy.linalg\nfound = numpy.linalg.norm": "norm",
    "from numpy.linalg import norm as found": "norm",
    "from numpy import linalg\nfound = linalg.norm": "norm",
    "from scipy.special import softmax as found": "softmax",
    "import scipy.special as sp\nfound = sp.softmax": "softmax",
    "import scipy\nfound = scipy.special.softmax": "softmax",
    "from math import sqrt as found": "sqrt",
    "import functools\n@functools.lru_cache\ndef f():\n    import numpy\n    return numpy.exp\nfound = f()": "exp",
    "found = list(map(lambda n: __import__(n).exp, ['numpy']))[0]": "exp",
}


@pytest.mark.parametrize("code", WAYS)
def test_every_way_of_importing_gives_the_model(imports: ExactImports, tmp_path: Path, code: str) -> None:
    assert run(tmp_path, code).found == f"model of {WAYS[code]}"


def test_what_a_target_imports_is_noted(imports: ExactImports, tmp_path: Path) -> None:
    run(tmp_path, "import numpy.linalg, time\nimport statistics\nfrom math import sqrt\n")
    assert imports.asked == {"numpy.linalg", "time", "statistics", "math"}


def test_helpers_beside_the_target_are_its_own(imports: ExactImports, tmp_path: Path) -> None:
    (tmp_path / "helper_on_trial.py").write_text("from numpy import exp\n")
    assert run(tmp_path, "import helper_on_trial\nfound = helper_on_trial.exp").found == "model of exp"


@pytest.mark.parametrize("folder", ["site-packages", "venv/lib/site-packages"])
def test_installed_packages_get_the_real_modules(
    imports: ExactImports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "library_on_trial.py").write_text("import numpy\nlate = lambda: __import__('math')\n")
    monkeypatch.syspath_prepend(str(tmp_path / folder))
    found = run(tmp_path, "import library_on_trial\nfound = library_on_trial\n").found
    assert found.numpy is sys.modules["numpy"]
    assert found.late() is sys.modules["math"]


def test_the_standard_library_gets_the_real_modules(imports: ExactImports, tmp_path: Path) -> None:
    assert run(tmp_path, "import statistics\nfound = statistics.math").found is sys.modules["math"]


def test_types_for_annotations_are_real(imports: ExactImports, tmp_path: Path) -> None:
    import numpy.typing

    assert run(tmp_path, "from numpy.typing import NDArray as found").found is numpy.typing.NDArray


def test_a_module_that_does_not_exist_raises_what_it_always_raises(imports: ExactImports, tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"numpy\.nothing"):
        run(tmp_path, "import numpy.nothing")
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        run(tmp_path, "from numpy import nothing", "another_on_trial")


REFUSED = {
    "import random\nrandom.random()": "random.random",
    "from random import gauss\ngauss(0, 1)": "random.gauss",
    "import random\nrandom.Random(0)": "random.Random",
    "import secrets\nsecrets.randbelow(3)": "secrets.randbelow",
    "import cmath\ncmath.exp(1)": "cmath.exp",
    "import cmath\n2 * cmath.pi": "cmath.pi",
    "import ctypes\nctypes.string_at(0)": "ctypes.string_at",
    "import ctypes\nclass P(ctypes.Structure):\n    pass": "ctypes.Structure",
    "import ctypes\nisinstance(3, ctypes.c_int)": "ctypes.c_int",
    "from scipy.optimize import minimize\nminimize(3)": "scipy.optimize.minimize",
    "import scipy.constants as c\nfloat(c.pi)": "scipy.constants.pi",
    "import sys\nsys.modules['numpy']": "sys.modules",
    "import sys\nsys._getframe()": "sys._getframe",
    "import sys\nif sys.gettrace():\n    pass": "sys.gettrace",
    "from inspect import stack\nstack()": "inspect.stack",
    "import gc\ngc.get_objects()": "gc.get_objects",
    "import traceback as t\nt.extract_stack()": "traceback.extract_stack",
    "exec(compile('import random; random.random()', 'no_such_file.py', 'exec'))": "random.random",
    "import numpy.fft\nif numpy.fft.fft:\n    pass": "numpy.fft.fft",
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_module_without_a_model_refuses_to_be_used(imports: ExactImports, tmp_path: Path, code: str) -> None:
    session = Session(Graph(), {})
    with running(session), pytest.raises(RefusalError):
        run(tmp_path, code)
    assert session.refusals[0].operation == REFUSED[code]


def test_a_refusal_that_is_swallowed_stays_recorded(imports: ExactImports, tmp_path: Path) -> None:
    session = Session(Graph(), {})
    with running(session):
        run(tmp_path, "import random\ntry:\n    random.random()\nexcept:\n    pass\n")
    assert len(session.refusals) == 1


@pytest.mark.parametrize(
    "code",
    [
        "import random",
        "import ctypes, cmath\nf = ctypes.c_int",
        "import scipy.optimize",
        "import sys, gc, inspect, traceback\nassert sys.maxsize > 1 and inspect.signature(len)",
    ],
)
def test_a_module_without_a_model_may_be_imported(imports: ExactImports, tmp_path: Path, code: str) -> None:
    session = Session(Graph(), {})
    with running(session):
        run(tmp_path, code)
    assert session.refusals == []


def test_replaced_functions_are_seen(imports: ExactImports, tmp_path: Path) -> None:
    run(tmp_path, "import numpy, numpy.linalg, scipy.stats\nfrom numpy import linalg, fft")
    assert imports.changed() == []
    run(tmp_path, "import numpy as np\nnp.exp = np.linalg", "another_on_trial")
    run(tmp_path, "import numpy.linalg as la\ndel la.norm", "third_on_trial")
    assert imports.changed() == ["numpy.exp", "numpy.linalg.norm"]


def test_imports_are_put_back() -> None:
    before = (builtins.__import__, importlib.import_module)
    during = []

    def fail() -> None:
        with ExactImports(OwnFiles([]), {}).installed():
            during.append(builtins.__import__)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert during[0] is not before[0]
    assert (builtins.__import__, importlib.import_module) == before


def test_source_is_read_again_in_spite_of_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "cache"))
    path = tmp_path / "cached_on_trial.py"
    own = OwnFiles([str(tmp_path)])
    for value, guarded in (("1", False), ("2", False), ("3", True)):
        path.write_text(f"found = {value}\n")
        os.utime(path, (1, 1))
        sys.modules.pop("cached_on_trial", None)
        if guarded:
            with fresh_source(own):
                module = importlib.import_module("cached_on_trial")
        else:
            module = importlib.import_module("cached_on_trial")
        # Without the rule the second text is not even read: size and time agree.
        assert module.found == (3 if guarded else 1)
    del sys.modules["cached_on_trial"]


def test_what_belongs_to_a_target() -> None:
    import attn_verify

    package = Path(attn_verify.__file__).parent
    own = OwnFiles(["/home/me/project"])
    assert "/home/me/project/a.py" in own
    assert "/home/me/project2/a.py" not in own
    assert "/home/me/project/.venv/lib/python3/site-packages/torch/a.py" not in own
    assert "<string>" not in own
    assert json.__file__ not in OwnFiles([str(PACKAGE.parent)])
    everything = OwnFiles(["/"])
    assert str(package / "arithmetic/tracing/session.py") not in everything
    assert str(package / "numeric/attention.py") in OwnFiles([])
    assert "/usr/lib/site-packages/pkg/a.py" in OwnFiles(["/usr/lib/site-packages/pkg"])
