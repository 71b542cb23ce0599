"""Theorems as Unicode text: renders the plain dicts of ``Checked.to_dict()`` and knows nothing else."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attn_verify.report import theorem_words as words
from attn_verify.report.derivation_text import wrap_formula
from attn_verify.report.formulas import plain_prose, split_prose

WIDTH = 88
_INDENT = "  "
_GLUE = "\u00a0"


def render_text(data: Mapping[str, Any], *, width: int = WIDTH) -> str:
    """Return a theorem with its proof as text of ``width`` columns."""
    width = max(width, 40)
    lines = list(_title(data, width))
    for title, key in (("Statement", "statement"), ("Hypotheses", "hypotheses"), ("Why it matters", "why"),
                       ("Predict first", "predict")):  # fmt: skip
        if data.get(key):
            lines += ["", title, *_prose(data[key], width)]
    if data["status"] != "PROVED":
        lines += ["", "Not accepted", *_prose(data["reason"].replace("$", ""), width)]
    else:
        conditions = words.Conditions(data)
        lines += ["", "Proof", *_proof(data, conditions, width), "", "Example", *_example(data["illustration"], width)]
        lines += ["", "Almost true, and false", *_near_miss(data["near_miss"], conditions, width)]
        lines += ["", "Rests on"]
        lines += [line for kind, text in words.rests(data) for line in _prose(f"{kind}: {text}", width)]
    for title, names in words.neighbours(data):
        lines += ["", title, *_prose(", ".join(names), width)]
    lines += ["", "Source", *_prose(data["source"], width)]
    return "\n".join(_safe(line.rstrip()) for line in lines) + "\n"


def _title(data: Mapping[str, Any], width: int) -> Iterator[str]:
    yield from _prose(f"{data['name']}  ({data['family']}, level {data['level']})", width, "")
    yield from _prose(words.head(data), width, "")


def _prose(text: str, width: int, indent: str = _INDENT) -> list[str]:
    """Wrap prose; a short formula is not broken."""
    shown = ""
    for kind, part in split_prose(text):
        plain = plain_prose(f"${part}$") if kind == "formula" else f"*{part}*" if kind == "emphasis" else part
        shown += plain.replace(" ", _GLUE) if kind == "formula" and len(plain) <= 30 else plain
    lines = textwrap.wrap(
        shown, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return [line.replace(_GLUE, " ") for line in lines]


def _formula(claim: Mapping[str, Any], width: int, indent: str) -> list[str]:
    """Return a claim on one line, or with its right side below the left one."""
    room = width - len(indent)
    if len(claim["text"]) <= room or "sides" not in claim:
        return [indent + line for line in wrap_formula(claim["text"], room, room - 2)]
    sides = claim["sides"]
    left = wrap_formula(sides["left"], room, room - 2)
    right = wrap_formula(sides["right"], room - 4, room - 4)
    if len(sides["left"]) <= 12:
        start = f"{sides['left']} {sides['relation']} "
        right = wrap_formula(sides["right"], room - len(start), room - len(start))
        return [indent + (start if not at else " " * len(start)) + line for at, line in enumerate(right)]
    lines = [indent + line for line in left]
    return [*lines, f"{indent}  {sides['relation']} {right[0]}", *(f"{indent}    {line}" for line in right[1:])]


def _proof(data: Mapping[str, Any], conditions: words.Conditions, width: int) -> Iterator[str]:
    yield from _prose(words.legend(data), width)
    running = words.indices(data["indices"])
    if running:
        yield from _prose(f"Indices: {running}.", width)
    if short := words.notation(data):
        yield from _prose(f"Here {short}.", width)
    explained: set[str] = set()
    for number, step in enumerate(data["steps"], 1):
        yield ""
        mark = " ◂ this is claimed" if step["concludes"] else ""
        yield f"{_INDENT}{number}  {step['label']}{mark}"
        if again := words.same(step):
            yield f"{' ' * 9}{again}"
        else:
            yield from _formula(step["claim"], width, " " * 9)
        yield from _given(conditions.of(step), width)
        yield from _prose(step["why"], width, " " * 5)
        sign = "·" if step["rule"] == "hypothesis" else "✓"
        checked = f"{sign} {words.rule(step, explained)}"
        yield from _wrapped(checked, width)
        for detail in step["details"]:
            yield from _named(f"{detail['name']}: ", detail["text"], width, " " * 7)
        yield from _under(step, width)


def _under(step: Mapping[str, Any], width: int) -> Iterator[str]:
    """Yield the assumed steps that what is claimed rests on."""
    if under := words.assumes(step):
        yield from _wrapped(f"→ claimed {under}", width)


def _wrapped(text: str, width: int) -> list[str]:
    glued = text.replace(" + ", f"{_GLUE}+{_GLUE}")
    lines = textwrap.wrap(
        glued, width, initial_indent=" " * 5, subsequent_indent=" " * 7, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(_GLUE, " ") for line in lines]


def _given(given: Sequence[tuple[str, Mapping[str, Any] | None]], width: int) -> Iterator[str]:
    for word, one in given:
        text = "" if one is None else f" {one['text']}{plain_prose(words.for_all(one))}"
        yield from _named(word, text, width, " " * 5)


def _named(name: str, formula: str, width: int, indent: str) -> Iterator[str]:
    room = width - len(indent)
    if len(name) + len(formula) <= room:
        yield f"{indent}{name}{formula}"
        return
    yield f"{indent}{name.rstrip()}"
    for line in wrap_formula(formula.strip(), room - 2, room - 4):
        yield from textwrap.wrap(line, room - 2, initial_indent=f"{indent}  ", subsequent_indent=f"{indent}    ")


def _example(data: Mapping[str, Any], width: int) -> Iterator[str]:
    yield from _prose(data["text"], width)
    yield from _model(data["model"], width)
    yield from (line for shown in data["shown"] for line in _shown(shown, width))


def _shown(shown: Mapping[str, Any], width: int) -> Iterator[str]:
    sign = " " if shown["text"].startswith("≈") else " = "
    yield from _named(f"{plain_prose(shown['label'])}{sign}", shown["text"], width, " " * 5)


def _model(model: Mapping[str, Any], width: int) -> Iterator[str]:
    parts = [plain_prose(size) for size in words.sizes(model)]
    parts += [f"{value['name']['text']} = {value['text']}" for value in model["values"]]
    if parts:
        glued = ", ".join(part.replace(" ", _GLUE) if len(part) < width // 2 else part for part in parts)
        for line in textwrap.wrap(glued, width, initial_indent="  with ", subsequent_indent=" " * 7):
            yield line.replace(_GLUE, " ")


def _near_miss(data: Mapping[str, Any], conditions: words.Conditions, width: int) -> Iterator[str]:
    yield from _prose(data["text"], width)
    yield from _formula(data["claim"], width, " " * 9)
    yield from _given(conditions.shown(data["given"]), width)
    found = data["counterexample"]
    if found is None:
        yield from _prose("No counterexample was confirmed.", width)
        return
    yield f"{_INDENT}✗ it fails"
    yield from _model(data["model"], width)
    where = plain_prose(words.place(found["at"]))
    sides = f"{found['left']['text']} {found['relation']} {found['right']['text']}"
    yield f"     {where + ': ' if where else ''}{sides}"


def index_rows(data: Mapping[str, Any]) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Return the theorems of an index by family, in its order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in data["theorems"]:
        found.setdefault(row["family"], []).append(row)
    return list(found.items())


def _safe(line: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
