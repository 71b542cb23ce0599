"""Theorems in LaTeX: an article that compiles with amsmath alone, or one display for MathJax."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attn_verify.report import theorem_words as words
from attn_verify.report.formulas import split_prose

LONG = 60
"""Characters of a claim, as text, from which on it is set in two lines."""

_PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb}
\allowdisplaybreaks
\setlength{\textwidth}{17cm}
\setlength{\oddsidemargin}{-0.5cm}
\setlength{\textheight}{23cm}
\setlength{\topmargin}{-1cm}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6ex}
\begin{document}
"""
_SPECIAL = {
    "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "“": "``", "”": "''", "’": "'", "‘": "`", "–": "--", "—": "---", "…": r"\ldots{}",
}  # fmt: skip
_SIGNS = {
    "→": r"\to", "↦": r"\mapsto", "⇒": r"\Rightarrow", "⇔": r"\Leftrightarrow", "≤": r"\le", "≥": r"\ge",
    "≠": r"\ne", "≈": r"\approx", "×": r"\times", "·": r"\cdot", "−": "-", "±": r"\pm", "∞": r"\infty",
    "√": r"\surd", "∂": r"\partial", "∈": r"\in", "⊕": r"\oplus", "⊢": r"\vdash", "✓": r"\checkmark",
    "□": r"\square", "•": r"\bullet", "½": r"\tfrac12", "⅛": r"\tfrac18", "ᵀ": r"^\top", "′": "'", "ℓ": r"\ell",
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ζ": r"\zeta",
    "η": r"\eta", "θ": r"\theta", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu", "ξ": r"\xi",
    "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi", "χ": r"\chi", "ψ": r"\psi",
    "ω": r"\omega", "Γ": r"\Gamma", "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda", "Ξ": r"\Xi", "Π": r"\Pi",
    "Σ": r"\Sigma", "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega",
    **{sign: f"^{{{digit}}}" for digit, sign in zip("0123456789-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ", strict=True)},
}  # fmt: skip
_LETTERS = {
    "é": r"\'e", "è": r"\`e", "ü": r'\"u', "ö": r'\"o', "ä": r'\"a', "č": r"\v{c}", "ć": r"\'c", "š": r"\v{s}",
    "ž": r"\v{z}", "ř": r"\v{r}", "ý": r"\'y", "á": r"\'a", "í": r"\'{\i}", "ó": r"\'o", "ß": r"\ss{}", "ı": r"{\i}",
    "ł": r"\l{}", "Ł": r"\L{}", "ø": r"\o{}", "å": r"\aa{}", "ç": r"\c{c}", "ñ": r"\~n", "ğ": r"\u{g}", "ş": r"\c{s}",
    "ő": r"\H{o}", "ê": r"\^e", "ë": r'\"e', "ï": r'\"{\i}',
}  # fmt: skip


def render_latex(data: Mapping[str, Any], fragment: bool = False) -> str:
    """Return an article, or with ``fragment`` the claims of all steps as one display."""
    if fragment:
        rows = [rf"&\text{{{_escape(step['label'])}}} && {math(step['claim']['latex'])}" for step in data["steps"]]
        return r"$$\begin{aligned} " + r" \\[1ex] ".join(rows) + r" \end{aligned}$$"
    return "\n".join([_PREAMBLE + rf"\section*{{{_escape(data['name'])}}}", *_body(data), r"\end{document}", ""])


def prose(text: str) -> str:
    r"""Return prose as LaTeX.

    >>> prose("100 % of *all* $p_j$ in a_b")
    '100 \\% of \\emph{all} $p_j$ in a\\_b'
    """
    shown = ""
    for kind, part in split_prose(text):
        if kind == "formula":
            shown += f"${math(part)}$"
        else:
            shown += rf"\emph{{{_escape(part)}}}" if kind == "emphasis" else _escape(part)
    return shown


def math(latex: str) -> str:
    """Return a formula with its letters as commands."""
    return re.sub(r"[^\x00-\x7f]", lambda found: f"{_SIGNS.get(found[0], found[0])} ", latex)


def _escape(text: str) -> str:
    def one(c: str) -> str:
        if c in _SPECIAL:
            return _SPECIAL[c]
        if c in _SIGNS:
            return rf"\ensuremath{{{_SIGNS[c]}}}"
        return _LETTERS.get(c, c)

    return "".join(map(one, text))


def _body(data: Mapping[str, Any]) -> Iterator[str]:
    yield rf"{_escape(data['family'])}, level {data['level']}. {_escape(words.head(data))}."
    for name, key in (("Statement", "statement"), ("Hypotheses", "hypotheses"), ("Why it matters", "why"),
                      ("Predict first", "predict")):  # fmt: skip
        if data.get(key):
            yield from _section(name, prose(data[key]))
    if data["status"] == "PROVED":
        conditions = words.Conditions(data)
        yield from _proof(data, conditions)
        yield from _section("Example", *_example(data["illustration"]))
        yield from _section("Almost true, and false", *_near_miss(data["near_miss"], conditions))
        yield from _section("Rests on", *(f"{kind}: {prose(text)}\n" for kind, text in words.rests(data)))
    else:
        yield from _section("Not accepted", _escape(data["reason"]))
    for name, others in words.neighbours(data):
        yield from _section(name, ", ".join(rf"\texttt{{{_escape(other)}}}" for other in others))
    yield from _section("Source", prose(data["source"]))


def _section(name: str, *lines: str) -> Iterator[str]:
    yield from ("", rf"\subsection*{{{name}}}", *lines)


def _proof(data: Mapping[str, Any], conditions: words.Conditions) -> Iterator[str]:
    running = words.indices(data["indices"])
    short = words.notation(data)
    lines = [f"Indices: {prose(running)}."] if running else []
    lines = [f"{prose(words.legend(data))}\n", *lines]
    yield from _section("Proof", *lines, *([f"Here {prose(short)}."] if short else []))
    explained: set[str] = set()
    yield r"\begin{enumerate}"
    for step in data["steps"]:
        claimed = r" (\emph{this is claimed})" if step["concludes"] else ""
        yield rf"\item \textbf{{{_escape(step['label'])}}}{claimed}"
        again = words.same(step)
        yield _escape(again) + r"\\" if again else _claim(step["claim"])
        yield from _given(conditions.of(step))
        yield prose(step["why"])
        yield ""
        yield rf"\textit{{{_escape(words.rule(step, explained))}}}"
        for detail in step["details"]:
            yield rf"\\ {_escape(detail['name'])}: ${math(detail['latex'])}$"
        if under := words.assumes(step):
            yield rf"\\ Claimed {_escape(under)}."
    yield r"\end{enumerate}"


def _claim(claim: Mapping[str, Any]) -> str:
    if len(claim["text"]) < LONG or "sides" not in claim:
        return rf"\[ {math(claim['latex'])} \]"
    sides = claim["sides"]
    relation = {"≤": r"\le"}.get(sides["relation"], sides["relation"])
    left, right = math(sides["left_latex"]), math(sides["right_latex"])
    return rf"\begin{{align*}} & {left} \\ & \quad {relation} {right} \end{{align*}}"


def _given(given: Sequence[tuple[str, Mapping[str, Any] | None]]) -> Iterator[str]:
    for word, one in given:
        yield f"{word}." if one is None else f"{word} ${math(one['latex'])}${prose(words.for_all(one))}."
        yield ""


def _model(model: Mapping[str, Any]) -> str:
    shown = [prose(size) for size in words.sizes(model)]
    shown += [f"${math(value['name']['latex'])} = {math(value['latex'])}$" for value in model["values"]]
    return ", ".join(shown)


def _example(data: Mapping[str, Any]) -> Iterator[str]:
    yield prose(data["text"])
    with_ = _model(data["model"])
    if with_:
        yield rf"With {with_}:"
    yield r"\begin{itemize}"
    for shown in data["shown"]:
        sign = "" if shown["latex"].startswith(r"\approx") else "= "
        yield rf"\item {prose(shown['label'])} ${sign}{math(shown['latex'])}$"
    yield r"\end{itemize}"


def _near_miss(data: Mapping[str, Any], conditions: words.Conditions) -> Iterator[str]:
    yield prose(data["text"])
    yield _claim(data["claim"])
    yield from _given(conditions.shown(data["given"]))
    found = data["counterexample"]
    if found is None:
        yield "No counterexample was confirmed."
        return
    relation = {"≠": r"\ne", "≥": r"\ge"}.get(found["relation"], found["relation"])
    where = prose(words.place(found["at"]))
    sides = f"{math(found['left']['latex'])} {relation} {math(found['right']['latex'])}"
    yield f"It fails with {_model(data['model'])}; {where + ': ' if where else ''}${sides}$."
