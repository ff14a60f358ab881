"""Plain text to the little HTML that PagerDuty's status pages take, and back."""

from __future__ import annotations

import html
from html.parser import HTMLParser


def to_html(text: str) -> str:
    """Paragraphs and line breaks; everything else is text."""
    paragraphs = (html.escape(p, quote=False).replace("\n", "<br>") for p in text.split("\n\n") if p.strip())
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def to_text(markup: str) -> str:
    """What a person reads of it."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return "".join(reader.parts).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self.parts.append("\n\n")
