"""What an audit is about: the target, bound once, as plain data that any worker can rebuild."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from attn_verify.checks.conventions import choose
from attn_verify.checks.inputs import Constants, mine, size_battery
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.binding import Binding, bind
from attn_verify.targets.layouts import Convention
from attn_verify.targets.resolve import resolve
from attn_verify.targets.roles import parse_roles

Data = dict[str, Any]

# The largest number of scores of one trial.
_ENTRIES = 1 << 15


@dataclass(frozen=True)
class Options:
    """What the user asked for.

    ``seconds`` limits one run of the target, ``budget`` all trials together; ``sizes`` fixes some sizes.
    """

    target: str
    spec: Mapping[str, str]
    sizes: Mapping[str, int]
    roles: Mapping[str, str]
    layout: str | None
    returns: str | None
    dtypes: tuple[str, ...]
    budget: float
    seconds: float
    seed: int

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Options:
        """Read what :meth:`to_dict` wrote."""
        return cls(**{**data, "dtypes": tuple(data["dtypes"])})

    def to_dict(self) -> Data:
        """Return the options as plain data."""
        return {**asdict(self), "dtypes": list(self.dtypes)}


@dataclass(frozen=True)
class Subject:
    """A target that was found, bound to roles, and run once.

    ``convention`` is how it takes its arrays; ``sizes`` are those to try, small ones first.  ``only_at`` are sizes at
    which it gives a result, where it gives none at sizes that differ from one another.
    """

    options: Options
    description: Mapping[str, Any]
    convention: Convention
    others: tuple[Convention, ...]
    near: bool
    source: str
    binding: Binding
    sizes: tuple[Sizes, ...]
    only_at: str = ""

    @classmethod
    def of(cls, options: Options, runner: Any) -> Subject:
        """Find, bind and run the target; raises ``TargetError`` where that is impossible."""
        description = runner.describe(options.target, seconds=options.seconds, seed=options.seed)
        binding = _bind(options, description)
        shown = resolve(options.target).shown
        chosen = choose(runner, binding, shown, options.sizes, seconds=options.seconds)
        accepted, source = chosen.accepted, _source(description)
        sizes = size_battery(
            binding, accepted[0], constants=mine(source), given=options.sizes, budget_entries=_ENTRIES
        )  # fmt: skip
        return cls(
            options, description, accepted[0], accepted[1:], chosen.near, source, binding, tuple(sizes), chosen.only_at
        )  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Subject:
        """Rebuild what :meth:`to_dict` wrote, without running the target."""
        options = Options.from_dict(data["options"])
        conventions = [_convention(item) for item in data["conventions"]]
        binding = _bind(options, data["description"])
        sizes = tuple(Sizes.of(item) for item in data["sizes"])
        return cls(
            options, data["description"], conventions[0], tuple(conventions[1:]), data["near"], data["source"],
            binding, sizes, data.get("only_at", ""),
        )  # fmt: skip

    def to_dict(self) -> Data:
        """Return everything as plain data."""
        return {
            "options": self.options.to_dict(),
            "description": dict(self.description),
            "conventions": [asdict(item) for item in (self.convention, *self.others)],
            "near": self.near,
            "source": self.source,
            "sizes": [sizes.to_dict() for sizes in self.sizes],
            "only_at": self.only_at,
        }

    @property
    def spec(self) -> AttentionSpec:
        """The conventions that the target should follow."""
        return self.binding.spec

    @cached_property
    def mask_shapes(self) -> tuple[str, ...]:
        """The axes of a mask that the target takes with its arrays in one layout, as conventions have them."""
        own = self.convention
        return (own.mask, *(item.mask for item in self.others if item.mask != own.mask and item == _shaped(own, item)))

    @property
    def name(self) -> str:
        """The name of the function."""
        return str(self.description["qualname"])

    @cached_property
    def constants(self) -> Constants:
        """The numbers in the target's file."""
        return mine(self.source)

    @property
    def digest(self) -> str:
        """Tells apart audits of other code, options or versions: what a resumed audit must not mix.

        Code is the target's file, and every module that was imported with it and that somebody edits: not what is
        installed, nor Python's own.  What the target imports only when it is called is not seen.
        """
        from attn_verify import __version__

        options = {name: value for name, value in self.options.to_dict().items() if name not in ("budget", "seconds")}
        modules = [(file, _read(file)) for file in self.description.get("modules", ())]
        text = repr((__version__, sorted(options.items(), key=str), self.source, modules))
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:24]


def _bind(options: Options, description: Mapping[str, Any]) -> Binding:
    return bind(
        description,
        AttentionSpec.of(options.spec),
        roles=options.roles or None,
        layout=options.layout,
        returns=options.returns,
    )


def _shaped(own: Convention, other: Convention) -> Convention:
    return own.with_(mask=other.mask)


def _convention(data: Mapping[str, Any]) -> Convention:
    returned = data["returned"]
    return Convention(**{**data, "returned": None if returned is None else tuple(returned)})


def _source(description: Mapping[str, Any]) -> str:
    """Return the text of the target's file, empty where it cannot be read."""
    return _read(str(description.get("file") or ""))


def _read(file: str) -> str:
    try:
        return Path(file).read_text("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def options_of(
    target: Any,
    spec: AttentionSpec,
    *,
    sizes: Mapping[str, int] | None,
    roles: Mapping[str, str] | str | None,
    layout: str | None,
    returns: str | None,
    dtypes: tuple[str, ...],
    budget: float,
    seconds: float,
    seed: int,
) -> Options:
    """Return options in canonical form; raises ``TargetError`` for a target that is no address."""
    named = parse_roles(roles) if isinstance(roles, str) else dict(roles or {})
    given = {name: int(value) for name, value in (sizes or {}).items() if value is not None}
    return Options(
        str(resolve(target)), spec.to_dict(), given, named, layout, returns, dtypes, float(budget), float(seconds), seed
    )
