"""One run of a target: its program, the questions that it asked, and what could not be modelled.

A refusal is sticky: it is recorded before it is raised, so that it voids the verdict even if the target
catches it.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NoReturn

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.bounds import Bounds, vanishes_nowhere_or_rarely
from attn_verify.arithmetic.graph.evaluation import BallValues, Point

# The operation of a refusal that goes away when maxima are decided by comparisons.
MAXIMUM_COMPARED = "== with a maximum"

# Decisions of one run, before it is given up.
MAX_DECISIONS = 20_000


class RefusalError(BaseException):
    """An operation of the target has no exact model.

    Not an ``Exception``, so that ``except Exception`` in the target does not go on as if nothing had
    happened; a bare ``except`` may, and the record in the session still voids the verdict.
    """


@dataclass(frozen=True)
class Refusal:
    """What could not be modelled: the operation, the cause, where in the target, and a remedy."""

    operation: str
    cause: str
    place: str
    remedy: str


@dataclass(frozen=True)
class Condition:
    """A question that the target asked about values: ``left < right`` or ``left == right``, and the answer."""

    op: str
    left: Node
    right: Node
    answer: bool
    place: str


@dataclass
class Session:
    """The state of one run.

    ``point`` gives every input a rational value (the same that the float run uses); ``sizes`` are the whole
    numbers that constants may be tied to; ``forced`` prescribes the first answers, to explore other paths.
    """

    graph: Graph
    point: Point
    sizes: frozenset[int] = frozenset()
    forced: Sequence[bool] = ()
    target_files: Container[str] = frozenset()
    cases: bool = False  # maxima are decided by comparisons instead of being kept as one node
    carrier: Any = None  # the class that holds the numbers of traced arrays, one node an entry by default
    conditions: list[Condition] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    notes: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    inexact: dict[Fraction, Fraction] = field(default_factory=dict)  # constants that floats may round, and how far
    tolerant: bool = False  # whether equality is asked within a tolerance
    casts: int = 0  # to narrower formats, since a call of the model ended
    coarse: dict[int, Any] = field(default_factory=dict)  # memory with numbers that were cast, by its address in Python
    rehearsal: Any = None  # makes calls of the model once more, to compare them with NumPy's; none during such a call

    def __post_init__(self) -> None:
        """Prepare the values at the point and the order that is known so far."""
        self.balls = BallValues(self.graph, self.point)
        self.bounds = Bounds(self.graph)
        self._above: dict[int, list[tuple[int, bool]]] = {}
        self._asked = 0  # questions "lt" so far
        if self.carrier is None:
            from attn_verify.arithmetic.tracing.node_data import NodeData

            self.carrier = NodeData

    def refuse(self, operation: str, cause: str, remedy: str = "") -> NoReturn:
        """Record that ``operation`` cannot be modelled, and stop the run."""
        refusal = Refusal(operation, cause, self.place(), remedy)
        self.refusals.append(refusal)
        raise RefusalError(f"{operation}: {cause}")

    def note(self, kind: str, text: str, **details: Any) -> None:
        """Record an assumption, once, with the place where it was first made."""
        self.casts += kind == "cast"
        self.notes.setdefault((kind, text), {"kind": kind, "text": text, "place": self.place(), **details})

    def place(self) -> str:
        """Return ``file:line`` of the innermost frame of the target."""
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename in self.target_files:
                return f"{frame.f_code.co_filename}:{frame.f_lineno}"
            frame = frame.f_back  # type: ignore[assignment]
        return ""

    def less(self, a: Node, b: Node) -> bool:
        """Answer ``a < b`` of two numbers that are not NaN; record the question unless all inputs agree."""
        return self._decide("lt", a, b)

    def equal(self, a: Node, b: Node) -> bool:
        """Answer ``a == b``: true only if the numbers are equal for all inputs, else false and recorded."""
        return self._decide("eq", a, b)

    def compare(self, op: str, a: Node, b: Node) -> bool:
        """Answer ``<  <=  >  >=  ==  !=`` as IEEE arithmetic does; whatever involves NaN is false, but ``!=``."""
        if "nan" in (a.special, b.special):
            return op == "!="
        match op:
            case "<":
                return self.less(a, b)
            case ">":
                return self.less(b, a)
            case "<=":
                return not self.less(b, a)
            case ">=":
                return not self.less(a, b)
            case "==":
                return self.equal(a, b)
            case "!=":
                return not self.equal(a, b)
        raise ValueError(op)

    def _decide(self, op: str, a: Node, b: Node) -> bool:
        settled = self._settled(op, a, b)
        if settled is not None:
            return settled
        if len(self.conditions) >= MAX_DECISIONS:
            self.refuse("comparison", f"more than {MAX_DECISIONS} questions about values in one run", "a smaller size")
        if op == "eq":
            if any(kind == "cast" for kind, _ in self.notes):
                # Rounded numbers are equal more often than on a null set.
                self.refuse("comparison", "the equality of numbers, where some were cast to another format")
            self._require_rare(a, b)
            if self.balls[self.graph.sub(a, b)].contains(0):
                # An identity that no rule knows, such as sin² + cos² = 1, is not met rarely, but always.
                self.refuse("==", "two numbers that are equal at a point, and not known to be the same")
            answer = False
        elif self._asked < len(self.forced):
            answer = self.forced[self._asked]
        else:
            answer = self._at_point(a, b)
        self.conditions.append(Condition(op, a, b, answer, self.place()))
        if op == "lt":
            self._asked += 1
            # left < right, or right ≤ left
            low, high = (a, b) if answer else (b, a)
            self._above.setdefault(low.index, []).append((high.index, answer))
        return answer

    def _require_rare(self, a: Node, b: Node) -> None:
        """Refuse a question ``a == b`` whose answer may be yes for more than a null set of inputs."""
        if vanishes_nowhere_or_rarely(self.bounds, self.graph.sub(a, b)):
            return
        if any(node.op == "max" for node in self.graph.cone([a, b])):
            self.refuse(MAXIMUM_COMPARED, "whether a number equals a maximum depends on which member it is")
        self.refuse("==", "two numbers that may be equal for many inputs, or for few", "compare with < or <=")

    def _settled(self, op: str, a: Node, b: Node) -> bool | None:
        """Return the answer where it is the same for all inputs of this path, else ``None``."""
        if a.special or b.special:
            order = {"-inf": -1, "inf": 1}
            left, right = order.get(a.special or "", 0), order.get(b.special or "", 0)
            return left < right if op == "lt" else left == right
        if a is b:
            return op == "eq"
        if a.rational is not None and b.rational is not None:
            return a.rational < b.rational if op == "lt" else a.rational == b.rational
        difference = self.graph.sub(a, b)
        sign = self._sign(difference)
        if sign is not None:
            return sign < 0 if op == "lt" else sign == 0
        if op == "lt" and self.bounds.low(difference).low >= 0:
            return False
        if op == "lt" and self.bounds.low(self.graph.neg(difference)).positive:
            return True
        if self.balls[difference].contains(0) and self._identical(a, b):
            if self.tolerant or (self._is_nothing(a) and self._is_nothing(b)):
                return op == "eq"
            self.refuse("comparison", "two numbers that are equal, and that floats round to others", "np.isclose")
        if not any(node.op == "input" for node in self.graph.cone([difference])):
            return self._constant(op, difference)
        return self._ordered(op, a, b)

    def _sign(self, difference: Node) -> int | None:
        sign = self.bounds.sign(difference)
        if sign is None:
            low = self.bounds.low(difference)
            sign = 1 if low.positive else None
        return sign

    def _is_nothing(self, node: Node) -> bool:
        """Return whether a number is zero in floats too: a product with zero, or zero divided by something."""
        nothing: set[int] = set()
        for part in self.graph.cone([node]):
            zeros = [arg in nothing for arg in part.args]
            if part.rational == 0 or (any(zeros) if part.op == "mul" else part.op in ("div", "neg") and zeros[0]):
                nothing.add(part.index)
        return node.index in nothing

    @contextmanager
    def tolerating(self) -> Iterator[None]:
        """Let numbers be equal inside the block although floats may round them apart."""
        before, self.tolerant = self.tolerant, True
        try:
            yield
        finally:
            self.tolerant = before

    def _identical(self, a: Node, b: Node) -> bool:
        from attn_verify.arithmetic.exact import compare

        return compare(self.graph, [(a, b)])[0].equal

    def _constant(self, op: str, difference: Node) -> bool:
        """Answer about numbers that do not depend on inputs; identical ones were found before."""
        value = self.balls[difference]
        if value.contains(0):
            self.refuse("comparison", "two constants that could not be told apart", "write the constant exactly")
        return bool(value < 0) if op == "lt" else False

    def _ordered(self, op: str, a: Node, b: Node) -> bool | None:
        """Use the answers so far: ``a < b`` follows from a chain upwards with one strict step."""
        up, down = self._reach(a, b), self._reach(b, a)
        if op == "lt":
            return True if up else False if down is not None else None
        return False if up or down else None

    def _reach(self, start: Node, end: Node) -> bool | None:
        """Return whether a chain leads from start up to end, and is strict; ``None`` without a chain."""
        best: dict[int, bool] = {start.index: False}
        stack = [start.index]
        while stack:
            index = stack.pop()
            for above, strict in self._above.get(index, ()):
                reached = best[index] or strict
                if above not in best or (reached and not best[above]):
                    best[above] = reached
                    stack.append(above)
        return best.get(end.index)

    def _at_point(self, a: Node, b: Node) -> bool:
        difference = self.graph.sub(a, b)
        value = self.balls[difference]
        if not value.contains(0):
            return bool(value < 0)
        # Equal at this point by chance, or an identity that no rule knows?
        moved = {name: x + Fraction(1 + at, 1009) for at, (name, x) in enumerate(self.point.items())}
        elsewhere = BallValues(self.graph, moved)[difference]
        if elsewhere.is_finite() and elsewhere.contains(0):
            self.refuse("<", "two numbers that are equal at two points, and not known to be the same")
        return False


_CURRENT: list[Session] = []


def current() -> Session:
    """Return the session of the run in progress."""
    if not _CURRENT:
        raise RuntimeError("no run is in progress")
    return _CURRENT[-1]


def running_session() -> Session | None:
    """Return the session of the run in progress, if there is one."""
    return _CURRENT[-1] if _CURRENT else None


@contextmanager
def running(session: Session) -> Iterator[Session]:
    """Make ``session`` the current one inside the block."""
    _CURRENT.append(session)
    try:
        yield session
    finally:
        _CURRENT.pop()
