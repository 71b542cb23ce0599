"""Runs one row in NumPy on floats and in the model on the same numbers, and describes what came out."""

import itertools
import math
import warnings
from fractions import Fraction

import flint
import numpy
import scipy.special

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.tracing.array import TracedFloat, TracedScalar, is_traced, wrap
from attn_verify.arithmetic.tracing.modules import math_model, numpy_model, scipy_model
from attn_verify.arithmetic.tracing.rehearsal import Rehearsal
from attn_verify.arithmetic.tracing.session import RefusalError, Session, running
from attn_verify.arithmetic.tracing.sizes import SizeInt
from attn_verify.arithmetic.tracing.traced import nodes_of, traced

SHAPES = {"x": (3, 4), "y": (4, 3), "v": (4,), "w": (3,), "t": (2, 3, 4), "p": (3, 4)}
TOLERANCE = {"float64": 1e-11, "float32": 1e-4, "float16": 2e-2, "float128": 1e-11, "longdouble": 1e-11}


def numbers():
    """Return distinct odd multiples of 1/32, exact in float16 and equal to no constant of a row, by name."""
    rng = numpy.random.default_rng(3)
    values = {}
    for name, shape in SHAPES.items():
        drawn = (2 * rng.choice(numpy.arange(1, 48), size=shape, replace=False) + 1) / 32
        signs = 1 if name == "p" else rng.choice([-1, 1], size=shape)
        values[name] = drawn * signs
    return values


def concrete():
    """Return the integer and bool arguments."""
    k = numpy.array([[3, -1, 2, 5], [0, 7, -4, 1], [6, -2, 8, -3]])
    return {"k": k, "b": k > 1, "i": numpy.array([0, 2])}


def float_arguments():
    """Return what the function gets in NumPy."""
    values = {**numbers(), **concrete()}
    values["f"], values["h"] = values["x"].astype(numpy.float32), values["x"].astype(numpy.float16)
    values["s"] = values["v"][1]
    return {**values, "d": 4, "np": numpy, "math": math, "special": scipy.special}


def exact_arguments(graph, point):
    """Return the same arguments for the model."""
    values = {}
    for name, array in numbers().items():
        nodes = numpy.empty(array.shape, object)
        for place in numpy.ndindex(*array.shape):
            nodes[place] = graph.input(name, place)
            point[name, place] = Fraction(float(array[place]))
        values[name] = traced(nodes)
    values["f"], values["h"] = (traced(nodes_of(values["x"]).copy(), t) for t in ("float32", "float16"))
    values["s"] = values["v"][1]
    values.update({name: wrap(array, array.dtype) for name, array in concrete().items()})
    return {
        **values, "d": SizeInt(4), "np": numpy_model(), "math": math_model(), "special": scipy_model().special,
    }  # fmt: skip


def function(row):
    """Return the function whose body is a row: statements, or one expression."""
    code = row.replace("\\n", "\n")
    try:
        compile(code, "row", "eval")
        body = f"    return {code}"
    except SyntaxError:
        body = "\n".join("    " + line for line in code.splitlines())
    scope = {}
    names = [*SHAPES, "f", "h", "s", "k", "b", "i", "d", "np", "math", "special"]
    exec(f"def row({', '.join(names)}):\n{body}\n", scope)
    return scope["row"]


def run_floats(row):
    """Return the description of what NumPy does."""
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return describe(function(row)(**float_arguments()))
        except Exception as error:
            return ("raises", type(error).__name__)


def run_exact(row, **options):
    """Return the description of what the model does, and its session."""
    graph, point = Graph(), {}
    session = Session(graph, point, frozenset({2, 3, 4}), **options)
    with running(session):
        given = exact_arguments(graph, point)
        session.rehearsal = Rehearsal(session)  # which refuses where NumPy's results lie otherwise in memory
        try:
            found = describe(function(row)(**given))
        except RefusalError:
            found = ("refuses",)
        except Exception as error:
            found = ("raises", type(error).__name__)
        # a refusal counts even if somebody swallowed it
        return (("refuses", session.refusals[0]) if session.refusals else found), session


def describe(value):
    """Describe a result: kind, dtype, shape and floats of arrays; the parts of containers."""
    if is_traced(value):
        return describe_traced(value)
    if isinstance(value, numpy.ndarray):
        return ("array", str(value.dtype), value.shape, tuple(value.ravel().tolist()))
    if isinstance(value, numpy.generic):
        return ("scalar", str(value.dtype), (), (value.item(),))
    if isinstance(value, bool) or value is None or isinstance(value, (str, numpy.dtype)):
        return ("value", str(value))
    if isinstance(value, type):
        return ("type", value.__name__)
    if isinstance(value, int):
        return ("value", int(value))
    if isinstance(value, float):
        return ("float", "float64", (), (value,))
    if isinstance(value, (list, tuple)):
        return ("parts", type(value).__name__, tuple(describe(item) for item in value))
    if isinstance(value, dict):
        return ("parts", "dict", tuple((key, describe(item)) for key, item in value.items()))
    return ("other", type(value).__name__)


def describe_traced(x):
    """Describe a traced array by its values at the point."""
    session = current_session()
    kind = "float" if type(x) is TracedFloat else "scalar" if type(x) is TracedScalar else "array"
    dtype = object.__getattribute__(x, "_dtype")
    data = object.__getattribute__(x, "_data")
    if isinstance(data, numpy.ndarray):
        return (kind, str(dtype), data.shape, tuple(data.ravel().tolist()))
    values = []
    for node in nodes_of(x).ravel().tolist():
        if node.special:
            values.append(float(node.special))
            continue
        ball = session.balls[node]
        assert ball.rel_accuracy_bits() > 60 or abs(ball) < flint.arb("1e-40"), f"no value at the point: {ball}"
        values.append(float(ball.mid()))
    return (kind, str(dtype), tuple(data.shape), tuple(values))


def current_session():
    from attn_verify.arithmetic.tracing.session import current

    return current()


def agree(exact, floats):
    """Return whether two descriptions agree; floats up to the rounding of their dtype."""
    if exact[0] != floats[0]:
        return False
    if exact[0] == "parts":
        return (
            exact[1] == floats[1]
            and len(exact[2]) == len(floats[2])
            and all(itertools.starmap(agree_item, zip(exact[2], floats[2], strict=True)))
        )
    if exact[0] not in ("array", "scalar", "float"):
        return exact == floats
    if exact[1:3] != floats[1:3]:
        return False
    tolerance = TOLERANCE.get(exact[1], 0)
    return all(itertools.starmap(lambda a, b: close(a, b, tolerance), zip(exact[3], floats[3], strict=True)))


def agree_item(exact, floats):
    """Compare parts, which for dicts come with their key."""
    if isinstance(exact[0], str) and exact[0] in ("array", "scalar", "float", "value", "parts", "other"):
        return agree(exact, floats)
    return exact[0] == floats[0] and agree(exact[1], floats[1])


def close(a, b, tolerance):
    """Compare two entries."""
    if isinstance(a, bool) or isinstance(b, bool) or isinstance(a, int):
        return type(a) is type(b) and a == b
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= tolerance * max(1, abs(b))
