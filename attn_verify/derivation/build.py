"""``X, W_Q, W_K, W_V → Q, K, V → S → E → D → P → O`` for each head, then ``Z, W_O, Y``."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from attn_verify.derivation.scale import scale_of
from attn_verify.derivation.stages import Form, Stage, product_stage, total
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec

ZERO = sympy.Integer(0)


def build_stages(sizes: Sizes, spec: AttentionSpec, allowed: Allowed) -> Iterator[Stage]:
    """Yield the stages of a layer in the order of computation."""
    heads: list[int | None] = [None] if sizes.heads == 1 else list(range(1, sizes.heads + 1))
    X = X_KV = None
    if sizes.d_model is not None:
        X = _given("X", None, "x", sizes.n, sizes.d_model, "The embeddings, one row for each token.")
        yield X
        X_KV = X
        if sizes.cross:
            X_KV = _given(
                "X_KV", None, "xKV", sizes.keys, sizes.d_model, "The embeddings that keys and values are made from."
            )
            yield X_KV
    outputs = []
    for head in heads:
        stages = list(_head(sizes, spec, allowed, head, X, X_KV))
        yield from stages
        outputs.append(stages[-1])
    if sizes.heads == 1 and sizes.d_out is None:
        return
    Z = _concatenation(sizes, outputs)
    yield Z
    if sizes.d_out is not None:
        W_O = _given("W_O", None, "wO", Z.shape[1], sizes.d_out, "The weights of the output projection.")
        yield W_O
        yield _projection(sizes, Z, W_O, outputs)


def _given(name: str, head: int | None, letter: str, rows: int, columns: int, text: str) -> Stage:
    return Stage(name, head, letter, (rows, columns), (), text)


def _head(
    sizes: Sizes, spec: AttentionSpec, allowed: Allowed, head: int | None, X: Stage | None, X_KV: Stage | None
) -> Iterator[Stage]:
    """Yield the stages of one head, O last."""
    n, m = sizes.n, sizes.keys
    if X is None or X_KV is None:
        Q = _given("Q", head, "q", n, sizes.d_k, "The queries, one row for each query.")
        K = _given("K", head, "k", m, sizes.d_k, "The keys, one row for each key.")
        V = _given("V", head, "v", m, sizes.d_v, "The values, one row for each key.")
        yield from (Q, K, V)
    else:
        width = X.shape[1]
        roles = (
            ("Q", "queries", X, sizes.d_k, "what a token looks for"),
            ("K", "keys", X_KV, sizes.d_k, "what a token offers to be found by"),
            ("V", "values", X_KV, sizes.d_v, "what a token hands over when it is found"),
        )
        weights = [
            _given(f"W_{name}", head, f"w{name}", width, columns, f"The weights that make the {role}.")
            for name, role, _, columns, _ in roles
        ]
        yield from weights
        projected = []
        for (name, role, source, _, meaning), W in zip(roles, weights, strict=True):
            token = (name.lower(), "x" if source is X else "x_KV")
            text = f"The {role}, {meaning}: each row is that token's embedding times W_{name}."
            projected.append(product_stage(name, head, name.lower(), source, W, text, token=token))
        yield from projected
        Q, K, V = projected
    S = _scores(sizes, spec, allowed, head, Q, K)
    E = _exponentials(allowed, head, S)
    D = _row_sums(allowed, head, E)
    P = _weights(spec, allowed, head, E, D)
    yield from (S, E, D, P, _output(spec, allowed, head, P, V))


def _mark(head: int | None) -> str:
    return "" if head is None else f"^({head})"


def _latex_mark(head: int | None) -> str:
    return "" if head is None else f"^{{({head})}}"


def _scores(sizes: Sizes, spec: AttentionSpec, allowed: Allowed, head: int | None, Q: Stage, K: Stage) -> Stage:
    sigma = scale_of(spec, sizes)
    inner = sizes.d_k

    def define(i: int, j: int) -> sympy.Expr:
        if not allowed[i][j]:
            return -sympy.oo
        return sigma.times(total([Q.symbol(i, a) * K.symbol(j, a) for a in range(inner)]))

    up, latex_up = _mark(head), _latex_mark(head)
    masked = not all(all(row) for row in allowed)
    latex_product = f"Q{latex_up} {{K{latex_up}}}^" + r"\top"
    form = Form(
        "definition",
        f"S{up} = {sigma.text_around(f'Q{up} K{up}ᵀ')}" + (", −∞ where masked" if masked else ""),
        f"S{latex_up} = {sigma.latex_around(latex_product)}" + (r",\ -\infty\ \text{where masked}" if masked else ""),
        define,
    )
    text = "The scores: how well each query matches each key" + sigma.sentence + "."
    if masked:
        text += " A masked score is −∞."
    return Stage("S", head, "s", (sizes.n, sizes.keys), (Q.key, K.key), text, (form,))


def _exponentials(allowed: Allowed, head: int | None, S: Stage) -> Stage:
    def define(i: int, j: int) -> sympy.Expr:
        return sympy.exp(S.symbol(i, j)) if allowed[i][j] else ZERO

    up, latex_up = _mark(head), _latex_mark(head)
    form = Form("definition", f"E{up} = exp(S{up})", f"E{latex_up} = \\exp(S{latex_up})", define)
    text = "The exponential of every score, positive; that of a masked score is exactly 0."
    return Stage("E", head, "e", S.shape, (S.key,), text, (form,))


def _row_sums(allowed: Allowed, head: int | None, E: Stage) -> Stage:
    def define(i: int, _: int) -> sympy.Expr:
        return total([E.symbol(i, j) for j, is_open in enumerate(allowed[i]) if is_open])

    up, latex_up = _mark(head), _latex_mark(head)
    form = Form("definition", f"D{up}_i = Σ_j E{up}_ij", rf"D{latex_up}_i = \sum_j E{latex_up}_{{ij}}", define)
    text = "The row sums of E, one number for each query: the denominators of the softmax."
    return Stage("D", head, "d", (E.shape[0], 1), (E.key,), text, (form,))


def _weights(spec: AttentionSpec, allowed: Allowed, head: int | None, E: Stage, D: Stage) -> Stage:
    m = E.shape[1]
    empty = {"nan": sympy.nan, "mean": sympy.Rational(1, m)}.get(spec.empty_row, ZERO)

    def define(i: int, j: int) -> sympy.Expr:
        if not any(allowed[i]):
            return empty
        return E.symbol(i, j) / D.symbol(i, 0) if allowed[i][j] else ZERO

    up, latex_up = _mark(head), _latex_mark(head)
    form = Form(
        "definition",
        f"P{up}_ij = E{up}_ij / D{up}_i",
        rf"P{latex_up}_{{ij}} = E{latex_up}_{{ij}} / D{latex_up}_i",
        define,
    )
    text = "The attention weights, softmax of each row of S: positive, and each row sums to 1."
    if not all(any(row) for row in allowed):
        meaning = {
            "any": "is left open by the spec and shown as 0",
            "zero": "has weights 0",
            "nan": "has undefined weights",
            "mean": f"attends to all {m} keys equally",
        }[spec.empty_row]
        text += f" A query that may attend to nothing {meaning}."
    return Stage("P", head, "p", E.shape, (E.key, D.key), text, (form,))


def _output(spec: AttentionSpec, allowed: Allowed, head: int | None, P: Stage, V: Stage) -> Stage:
    def define(i: int, c: int) -> sympy.Expr:
        if any(allowed[i]):
            return total([P.symbol(i, j) * V.symbol(j, c) for j, is_open in enumerate(allowed[i]) if is_open])
        if spec.empty_row == "mean":
            return total([P.symbol(i, j) * V.symbol(j, c) for j in range(P.shape[1])])
        return sympy.nan if spec.empty_row == "nan" else ZERO

    up, latex_up = _mark(head), _latex_mark(head)
    form = Form("matrix", f"O{up} = P{up} V{up}", f"O{latex_up} = P{latex_up} V{latex_up}", define)
    text = "The output of the head: each row is the average of the values under that query's weights."
    return Stage("O", head, "o", (P.shape[0], V.shape[1]), (P.key, V.key), text, (form,))


def _concatenation(sizes: Sizes, outputs: list[Stage]) -> Stage:
    def define(i: int, c: int) -> sympy.Expr:
        return outputs[c // sizes.d_v].symbol(i, c % sizes.d_v)

    count = len(outputs)
    inside = "O" if count == 1 else " ".join(f"O^({t})" for t in _ellipsis(count))
    latex = "O" if count == 1 else r"\; ".join(rf"O^{{({t})}}" for t in _ellipsis(count, r"\cdots"))
    latex = latex.replace(r"O^{(\cdots)}", r"\cdots")
    form = Form("concatenation", f"Z = [{inside.replace('O^(…)', '…')}]", f"Z = [{latex}]", define)
    text = f"The outputs of the heads side by side: columns 1…{sizes.d_v} are head 1, and so on."
    keys = tuple(stage.key for stage in outputs)
    return Stage("Z", None, "z", (sizes.n, count * sizes.d_v), keys, text, (form,))


def _ellipsis(count: int, dots: str = "…") -> list[str]:
    return [str(t) for t in range(1, count + 1)] if count <= 4 else ["1", "2", dots, str(count)]


def _projection(sizes: Sizes, Z: Stage, W_O: Stage, outputs: list[Stage]) -> Stage:
    text = "The result: each row of Z times the output weights mixes what the heads found."
    Y = product_stage("Y", None, "y", Z, W_O, text, token=("y", "z"))
    if len(outputs) == 1:
        return Y

    def over_heads(i: int, c: int) -> sympy.Expr:
        # W_O^(t) is the block of rows of W_O that meets head t.
        return total(
            [
                total([O.symbol(i, a) * W_O.symbol(t * sizes.d_v + a, c) for a in range(sizes.d_v)])
                for t, O in enumerate(outputs)
            ]
        )

    heads = Form("sum over heads", "Y = Σ_t O^(t) W_O^(t)", r"Y = \sum_t O^{(t)} W_{O}^{(t)}", over_heads)
    return Stage("Y", None, "y", Y.shape, Y.sources, text, (*Y.forms, heads))
