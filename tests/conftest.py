"""What tests of several rooms share."""

from collections.abc import Iterator

import pytest

from attn_verify.targets.runner import Runner


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """One worker for the tests of a module."""
    with Runner() as running:
        yield running
