r"""Formulas and prose with formulas: LaTeX becomes MathML, or one line of Unicode.

The LaTeX is read by ``latex2mathml``; the Unicode is written from the MathML tree, with parentheses wherever the
line would lose what raising, lowering or a fraction bar said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from xml.etree import ElementTree

# The converter reads these, but not in the way that a formula here means them.
_REWRITTEN = (
    (re.compile(r"\\(?:lvert|rvert)\b"), "|"),
    (re.compile(r"\\hat\b"), r"\\widehat"),
    (re.compile(r"\\mathrm\{([A-Za-z]{2,})\}"), r"\\operatorname{\1}"),
    (re.compile(r"\\(arg|sign|tr)\b"), r"\\operatorname{\1}"),
    (re.compile(r"\\[bB]igg?[lr]?\\\|"), r"\\|"),
)
_SUPERSCRIPTS = dict(zip("0123456789+−-()nirTxjkt", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ⁿⁱʳᵀˣʲᵏᵗ", strict=True))
_RAISED = re.compile(r"[−-]?(?:[0-9]+|T)|[ni+]|\([a-z0-9]\)")
_FRACTIONS = {"1/2": "½", "1/3": "⅓", "2/3": "⅔", "1/4": "¼", "3/4": "¾", "1/8": "⅛"}
_SIGNS = {"∑": "Σ", "-": "−", "⊤": "T", "∗": "*", "⟺": "⇔", "⟹": "⇒", "⋅": "·", "…": "…", "∣": "|", "∥": "‖"}
_ACCENTS = {"¯": "\u0304", "‾": "\u0304", "^": "\u0302", "ˆ": "\u0302", "˜": "\u0303", "~": "\u0303"}
_DOUBLE = dict(zip("RNZQCEP", "ℝℕℤℚℂ𝔼ℙ", strict=True))
_SPACED = set("=<>≤≥≠≈∼≃∈∉→←⇒⇐⇔↔↦≪≫∝⊢⊂⊆⊃⊇≡×−+±∘:∧∨∪∩∣≺⪯⪰⊕⊙~⟺⟹⟸⟶")
_OPENING, _CLOSING = set("([{⌊⌈⟨"), set(")]}⌋⌉⟩")
_TIGHT = set("/·.!'′‖|") | _OPENING | _CLOSING
# What a formula is made of; the converter lets through whatever markup and links it is given.
_TAGS = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder",
    "mover", "munderover", "mtable", "mtr", "mtd", "mstyle", "mpadded", "mphantom", "menclose",
}  # fmt: skip
_ATTRIBUTES = {
    "display", "displaystyle", "scriptlevel", "mathvariant", "stretchy", "fence", "form", "separator", "movablelimits",
    "accent", "accentunder", "largeop", "symmetric", "lspace", "rspace", "width", "height", "depth", "voffset",
    "minsize", "maxsize", "linethickness", "columnalign", "rowalign", "columnspacing", "rowspacing", "columnlines",
    "rowlines", "notation", "mathsize",
}  # fmt: skip
_ROWS = ("mrow", "mstyle", "mpadded", "math")


Element = ElementTree.Element


@lru_cache(maxsize=4096)
def mathml(latex: str, display: str = "inline") -> str:
    """Return a formula as MathML; raise ``ValueError`` for LaTeX that is not understood.

    >>> mathml("a_1").partition("<mrow>")[2]
    '<msub><mi>a</mi><mn>1</mn></msub></mrow></math>'
    """
    from latex2mathml.converter import convert

    for pattern, replacement in _REWRITTEN:
        latex = pattern.sub(replacement, latex)
    try:
        root = ElementTree.fromstring(convert(latex, display=display))
    except ElementTree.ParseError as error:
        raise ValueError(f"no well-formed MathML: {error}") from None
    except Exception as error:  # the converter's own, of many kinds
        raise ValueError(f"not understood: {error or type(error).__name__}") from None
    strange = {_tag(node) for node in root.iter()} - _TAGS
    strange |= {name for node in root.iter() for name in node.attrib} - _ATTRIBUTES
    if strange:
        raise ValueError(f"no formula: {', '.join(sorted(strange))}")
    unknown = [part for part in root.itertext() if "\\" in part or "&" in part]
    if unknown:
        raise ValueError(f"not understood: {', '.join(unknown)}")
    _mended(root)
    return ElementTree.tostring(root, encoding="unicode").replace("ns0:", "").replace(":ns0", "")


def _mended(row: Element) -> None:
    """Make operators of relations taken for letters; set names of functions upright, and apart from letters."""
    children = list(row)
    for child in children:
        _mended(child)
        if _tag(child) == "mi" and (child.text or "").strip() in _SPACED | _OPENING | _CLOSING:
            child.tag = child.tag[:-2] + "mo"
    for at, child in enumerate(children):
        name = child[0] if _tag(child) in ("msub", "munder") else child
        if _tag(name) not in ("mi", "mo") or not re.fullmatch(r"[A-Za-z]{2,}", name.text or ""):
            continue
        name.tag = name.tag[:-2] + "mi"
        name.attrib.clear()
        if _tag(row) not in _ROWS:
            continue
        space = child.tag.rpartition("}")[0] + "}mspace"
        if at and _tag(children[at - 1]) != "mo":
            row.insert(list(row).index(child), Element(space, {"width": "0.17em"}))
        if at + 1 < len(children) and (children[at + 1].text or "") not in _OPENING:
            row.insert(list(row).index(child) + 1, Element(space, {"width": "0.17em"}))


@lru_cache(maxsize=4096)
def plain(latex: str) -> str:
    r"""Return a formula as one line of Unicode.

    >>> plain(r"p_j = e^{s_j + c}/\sum_k e^{s_k}"), plain(r"\frac{a + b}{2\,d_k}"), plain(r"\tfrac12 Q K^\top")
    ('p_j = exp(s_j + c)/Σ_k exp(s_k)', '(a + b)/(2 d_k)', '½ Q Kᵀ')
    """
    return re.sub(r" +", " ", _row(list(ElementTree.fromstring(mathml(latex))))).strip()


def split_prose(text: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of prose: ``("text", …)``, ``("formula", LaTeX)`` between dollar signs, ``("emphasis", …)``.

    >>> list(split_prose("the *rows* of $P$"))
    [('text', 'the '), ('emphasis', 'rows'), ('text', ' of '), ('formula', 'P')]
    """
    for at, part in enumerate(re.split(r"\$([^$]*)\$", text)):
        if at % 2:
            yield "formula", part
            continue
        for n, piece in enumerate(re.split(r"\*([^\s*](?:[^*]*[^\s*])?)\*", part)):
            if piece:
                yield ("emphasis" if n % 2 else "text"), piece


def plain_prose(text: str) -> str:
    r"""Return prose with its formulas as Unicode; what the converter does not know stays as it is written.

    >>> plain_prose(r"every weight $p_j \le 1$")
    'every weight p_j ≤ 1'
    """
    return "".join(_or_source(plain, part) if kind == "formula" else part for kind, part in split_prose(text))


def _or_source(convert: Callable[[str], str], latex: str) -> str:
    try:
        return convert(latex)
    except ValueError:
        return latex


def _tag(node: Element) -> str:
    return node.tag.rpartition("}")[2]


def _text(node: Element) -> str:
    text = "".join(node.itertext()).strip()
    if node.get("mathvariant") == "double-struck":
        return _DOUBLE.get(text, text)
    if node.get("mathvariant") == "bold" and text == "1":
        return "𝟏"
    return _SIGNS.get(text, text)


def _children(node: Element) -> list[Element]:
    """Return the children of a row, those of rows inside it instead of these."""
    found: list[Element] = []
    for child in node:
        found += _children(child) if _tag(child) in _ROWS else [child]
    return found


def _row(nodes: Sequence[Element]) -> str:
    """Return nodes side by side, with spaces around relations and signs and between factors."""
    flat = _flat(nodes)
    line, last, before = "", "", "start"
    for at, node in enumerate(flat):
        piece, kind = _piece(node)
        if kind == "space":
            line += " "
            continue
        if kind == "sign" and piece in "−+±" and before in ("start", "sign", "open", "comma"):
            line, last, before = line + piece, piece, "prefix"
            continue
        if kind == "fraction" and "/" in piece and _follows(flat[at + 1 :]):
            piece = f"({piece})"
        line += _gap(before, kind, line, last, piece) + piece + (" " if kind in ("sign", "comma") else "")
        last, before = piece, kind
    return line


def _flat(nodes: Sequence[Element]) -> list[Element]:
    return [x for node in nodes for x in (_children(node) if _tag(node) in _ROWS else [node])]


def _follows(nodes: Sequence[Element]) -> bool:
    """Return whether what comes next would be read into a denominator."""
    piece, kind = next((found for node in nodes if (found := _piece(node))[1] != "space"), ("", "end"))
    return kind in ("atom", "name", "fraction", "sum", "open", "prefix") or piece in ("|", "‖")


_THINGS = {"atom", "fraction", "close", "sum", "name"}


def _gap(before: str, kind: str, line: str, last: str, piece: str) -> str:
    """Return the space between two neighbours."""
    if not line or line.endswith(" "):
        return ""
    if kind == "sign" or (before == "name" and kind != "open") or (before == "sum" and kind not in ("open", "tight")):
        return " "
    if before in _THINGS and kind in ("name", "sum", "fraction", "prefix"):
        return " "
    if before in _THINGS and kind == "atom":
        together = before == "atom" and ((len(last) == 1 and len(piece) == 1) or last.isdigit())
        return "" if together and not piece.isdigit() else " "
    return ""


def _piece(node: Element) -> tuple[str, str]:
    """Return the text of a node and what it is to its neighbours."""
    tag, text = _tag(node), _text(node)
    if tag in _ROWS:
        return _row(list(node)), "atom"
    if tag == "mspace":
        return " ", "space"
    if tag == "mtext":
        return "".join(node.itertext()), "words"
    if tag in ("mi", "mn", "mo"):
        return _leaf(text, tag)
    inside = list(node)
    match tag:
        case "mfrac":
            return _fraction(*inside), "fraction"
        case "msqrt":
            return "√" + _closed(inside), "atom"
        case "mroot":
            return f"{_closed(inside[:1])}^(1/{_row(inside[1:])})", "atom"
        case "msub" | "munder":
            base, kind = _piece_of(inside[0])
            return base + _below(inside[1]), kind
        case "msup":
            return _raised(inside[0], inside[1], "")
        case "mover":
            accent = _ACCENTS.get(_text(inside[1]))
            if accent is None:
                return _raised(inside[0], inside[1], "")
            base = _row(inside[:1])
            return (base + accent if len(base) == 1 else f"({base}){accent}"), "atom"
        case "msubsup" | "munderover":
            return _raised(inside[0], inside[2], _below(inside[1]))
        case "mtable":
            return "; ".join(", ".join(_row(list(cell)) for cell in row) for row in node), "atom"
    return text, "atom"


def _piece_of(node: Element) -> tuple[str, str]:
    """Return a base; a row of one thing is that thing."""
    inside = _flat([node])
    return _piece(inside[0]) if len(inside) == 1 else (f"({_row(inside)})", "atom")


def _leaf(text: str, tag: str) -> tuple[str, str]:
    if text in ("∂", "∇"):
        return text, "prefix"
    if (text == "Σ" and tag == "mo") or text in ("∏", "∫"):
        return text, "sum"
    if text in _OPENING:
        return text, "open"
    if text in _CLOSING:
        return text, "close"
    if text in (",", ";"):
        return text, "comma"
    if text in _SPACED:
        return text, "sign"
    if text in _TIGHT:
        return text, "tight"
    return text, "name" if len(text) > 1 and text.isalpha() else "atom"


def _below(node: Element) -> str:
    text = _row([node])
    text = text if re.search(r"[^\W\d_]{3}", text) else text.replace(" ", "")
    return f"_{text}" if re.fullmatch(r"[\w,'*∞•]+", text) else f"_({text})"


def _raised(base: Element, exponent: Element, below: str) -> tuple[str, str]:
    text, kind = _piece_of(base)
    above = _row([exponent])
    if re.fullmatch(r"['′]+", above):
        return text + "'" * len(above) + below, kind
    if _RAISED.fullmatch(above) and kind != "sum" and all(c in _SUPERSCRIPTS for c in above):
        return text + below + "".join(_SUPERSCRIPTS[c] for c in above), kind
    if text == "e" and not below:
        return f"exp({above})", "atom"
    closed = re.fullmatch(r"\w|[*∞]|\([^()]*\)", above)
    return text + below + (f"^{above}" if closed else f"^({above})"), kind


def _fraction(above: Element, below: Element) -> str:
    top, bottom = _row([above]), _row([below])
    if f"{top}/{bottom}" in _FRACTIONS:
        return _FRACTIONS[f"{top}/{bottom}"]
    if re.search(r" [−+±=<>≤≥:] |/", _outside(top)) or top.startswith("−"):
        top = f"({top})"
    return f"{top}/{bottom if top == 'd' else _closed([below])}"


def _outside(text: str) -> str:
    """Return what is in no parentheses."""
    depth, kept = 0, ""
    for c in text:
        depth += c in "(["
        kept += c if not depth else ""
        depth -= c in ")]"
    return kept


def _closed(nodes: Sequence[Element]) -> str:
    """Return nodes in parentheses, unless they are one thing."""
    things = [kind for node in _flat(nodes) if (kind := _piece(node)[1]) != "space"]
    text = _row(nodes)
    alone = things in (["atom"], ["prefix", "atom"]) or re.fullmatch(r"‖[^‖]*‖|\|[^|]*\|", text)
    return text if alone and "/" not in _outside(text) else f"({text})"
