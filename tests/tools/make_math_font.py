"""Make ``attn_verify/report/fonts/attn-verify-math.woff2``, the font that HTML reports embed.

A subset of Latin Modern Math (Debian package ``fonts-lmodern``) with the letters and signs that the reports
use, every size of their brackets, roots and sums, and the MATH table.  As its licence asks, the subset bears
a name of its own.  Needs ``fonttools`` and ``brotli``::

    python tests/tools/make_math_font.py /usr/share/texmf/fonts/opentype/public/lm-math/latinmodern-math.otf
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FAMILY = "AttnVerify Math"
TARGET = Path(__file__).parents[2] / "attn_verify" / "report" / "fonts" / "attn-verify-math.woff2"

ASCII = range(0x20, 0x7F)
MATH_ITALIC = [*range(0x1D434, 0x1D468), 0x210E]  # A…Z, a…z; the italic h has an older place
MATH_ITALIC_GREEK = range(0x1D6E2, 0x1D71C)
GREEK = range(0x391, 0x3CA)
SIGNS = "  ·×÷±−∓∕∗∘√∑∏∫∂∇∞∈∉∅∀∃∧∨¬≈≠≡≤≥≪≫→←↔↦⇒⇔⊤⊥⊙⊗⊕⋅⋯⋮⋱…‖⟨⟩⌊⌋⌈⌉′″ℝℕ⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾∣∥ˆ˜¯⏞⏟"
INVISIBLE = "⁡⁢⁣⁤"


def subset(source: Path) -> TTFont:
    """Return the renamed subset of the font at ``source``."""
    font = TTFont(source)
    options = Options()
    options.layout_features = ["*"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.notdef_outline = True
    options.drop_tables += ["DSIG"]
    subsetter = Subsetter(options)
    subsetter.populate(
        unicodes=[*ASCII, *MATH_ITALIC, *MATH_ITALIC_GREEK, *GREEK, *map(ord, SIGNS), *map(ord, INVISIBLE)]
    )
    subsetter.subset(font)
    for record in font["name"].names:
        name = {1: FAMILY, 3: "attn-verify-math-1", 4: FAMILY, 6: "AttnVerifyMath-Regular"}.get(record.nameID)
        if name is not None:
            record.string = name
    if "CFF " in font:
        cff = font["CFF "].cff
        cff.fontNames = ["AttnVerifyMath-Regular"]
        cff.topDictIndex[0].FullName = cff.topDictIndex[0].FamilyName = FAMILY
    return font


def main() -> None:
    font = subset(Path(sys.argv[1]))
    font.flavor = "woff2"
    font.recalcTimestamp = False
    TARGET.parent.mkdir(exist_ok=True)
    font.save(TARGET)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, {font['maxp'].numGlyphs} glyphs")


if __name__ == "__main__":
    main()
