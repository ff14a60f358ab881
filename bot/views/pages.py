"""A dialog of lines that only says something, in as many pages as it takes: nothing is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.views.mrkdwn import Block, actions, button, cut, section, small

STEPS, DETAILS = "Steps", "Details"
OPEN = "show"
_SECTION, _PAGE = 2_800, 10_000


@dataclass(frozen=True)
class PageTarget:
    """What a button opens: the steps of a run, or the sheets of its entry `n`; at which page, from 0."""

    what: str
    run: str
    n: int = 0
    page: int = 0

    @classmethod
    def of(cls, value: str) -> PageTarget | None:
        """The target that a button carries; None where it is none of ours."""
        what, run, n, page = (*value.split("|"), "", "", "")[:4]
        known = what in (STEPS, DETAILS) and run and n.isdecimal() and page.isdecimal()
        return cls(what, run, int(n), int(page)) if known else None

    def value(self) -> str:
        """The target as a button carries it."""
        return f"{self.what}|{self.run}|{self.n}|{self.page}"


def opens(what: str, run: str, n: int = 0) -> Block:
    """The button that opens a dialog."""
    return button(what, f"{OPEN}:{what.casefold()}", PageTarget(what, run, n).value())


def dialog(target: PageTarget, lines: Sequence[str], note: str = "") -> Block:
    """The page that is asked for, with buttons to those beside it."""
    pages = _pages([piece for line in lines for piece in _pieces(line)])
    at = min(target.page, len(pages) - 1)
    beside = [(label, at + by) for label, by in (("Back", -1), ("Next", 1)) if 0 <= at + by < len(pages)]
    row = [button(label, f"{OPEN}:{label.casefold()}", replace(target, page=page).value()) for label, page in beside]
    told = [f"Page {at + 1} of {len(pages)}"] if row else []
    foot = " · ".join([*told, *filter(None, [note])])
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": cut(f"{target.what} of {target.run}", 24)},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": [*map(section, pages[at]), *([small(foot)] if foot else []), *actions(row)],
    }


def _pieces(line: str) -> list[str]:
    """A line that is longer than a paragraph may be, in parts; never within a word or a sign, where it has any."""
    parts = []
    while len(line) > _SECTION:
        end = line.rfind(" ", 1, _SECTION)
        if end < 0:
            amp = line.rfind("&", _SECTION - 6, _SECTION)
            end = amp if amp > 0 and ";" not in line[amp:_SECTION] else _SECTION
        parts.append(line[:end])
        line = line[end:]
    return [*parts, line]


def _pages(lines: Sequence[str]) -> list[list[str]]:
    """Paragraphs of lines, as many on a page as Slack surely takes."""
    pages: list[list[str]] = [[""]]
    for line in lines:
        if sum(map(len, pages[-1])) + len(line) > _PAGE:
            pages.append([""])
        page = pages[-1]
        if len(page[-1]) + len(line) + 1 > _SECTION:
            page.append("")
        page[-1] = f"{page[-1]}\n{line}" if page[-1] else line
    return [[part for part in page if part] or [" "] for page in pages]
