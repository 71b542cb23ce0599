"""Running the command line in this process."""

import json
from typing import NamedTuple

import pytest

from attn_verify.cli import main


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def data(self):
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def refuse(run):
    """Run arguments that must be refused: exit code 2, one message with cause and remedy, nothing on stdout."""

    def call(*arguments, cause, remedy):
        code, out, err = run(*arguments)
        assert code == 2, err
        assert out == ""
        assert cause in err, err
        assert remedy in err, err
        assert "Traceback" not in err
        assert len(err) < 2000
        return err

    return call
