"""Configuration of the documentation: Sphinx, MyST, furo; formulas as MathML; nothing is fetched when it is read."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from attn_verify import __version__  # noqa: E402 - the path comes first

project = "attn-verify"
author = "the attn-verify maintainers"
copyright = author
version = release = __version__

extensions = ["myst_parser", "mathml_renderer", "from_source", "theorem_pages"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_ext"]
nitpicky = True

html_theme = "furo"
html_title = f"attn-verify {version}"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["docs.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
