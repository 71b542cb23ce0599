"""Check that built pages load nothing from outside: ``python docs/check_html.py DIRECTORY``."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

# What a browser fetches by itself; a link that a reader may click is no load.
_LOADED = {("link", "href"), ("use", "href"), ("image", "href")}
_LOADING_ATTRIBUTES = {"src", "srcset", "poster", "data", "background"}
_OUTSIDE = re.compile(r"^\s*(?:[a-z]+:)?//", re.IGNORECASE)
_CSS = re.compile(r"@import\s+[\"']?(?:[a-z]+:)?//|url\(\s*[\"']?(?:[a-z]+:)?//", re.IGNORECASE)


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            loads = name in _LOADING_ATTRIBUTES or (tag, name) in _LOADED
            if value and ((loads and _OUTSIDE.match(value)) or (name == "style" and _CSS.search(value))):
                self.found.append(f"<{tag} {name}={value!r}>")


def loads(text: str, kind: str) -> list[str]:
    """Return what an HTML page or a style sheet would fetch from another host."""
    if kind == "css":
        return [match.group() for match in _CSS.finditer(text)]
    parser = _Loads()
    parser.feed(text)
    styles = re.findall(r"(?s)<style.*?</style>", text)
    return parser.found + [match.group() for style in styles for match in _CSS.finditer(style)]


def check(directory: Path) -> list[str]:
    """Return one line for each load from outside in a directory of built pages."""
    files = sorted(path for path in directory.rglob("*") if path.suffix in (".html", ".css", ".svg"))
    if not any(path.suffix == ".html" for path in files):
        return [f"{directory}: no pages"]
    return [f"{path}: {load}" for path in files for load in loads(path.read_text("utf-8"), path.suffix[1:])]


if __name__ == "__main__":
    problems = check(Path(sys.argv[1]))
    print("\n".join(problems) or f"{sys.argv[1]}: nothing is loaded from outside")
    sys.exit(bool(problems))
