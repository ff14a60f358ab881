"""The page of errors, of which people ask for a part by a code that they were shown."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from actions.engine.errors import Refused

PAGES = (
    Path(__file__).resolve().parents[2] / "docs" / "errors.md",
    Path(sys.prefix) / "share" / "mayday" / "errors.md",
)
"""Where it lies: in a checkout, and where an installation puts it."""

CODE = re.compile(r"MD-?([A-Z]{2,5})-?(\d{1,3})", re.IGNORECASE)
_AROUND = " \t`'\"[](){}<>*_.,:;"
_ENTRY = re.compile(r"^### (MD-\S+)\n\n\*\*([^\n]*)\*\*\n\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_RETIRED = re.compile(r"^- `(MD-\S+)`: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class ErrorEntry:
    """One error of the page: its code, its message with ‹what is filled in›, and what to do."""

    code: str
    message: str
    help: str

    def says(self) -> str:
        """All of it, for people."""
        return f"{self.code}: {self.message}\n{self.help}"


def entries() -> list[ErrorEntry]:
    """Every error, in the order of the page; the retired ones at the end.

    Raises:
        Refused: the page is not there.
    """
    page = next((path for path in PAGES if path.is_file()), None)
    if page is None:
        raise Refused(
            "The list of errors is not part of this installation.",
            code="MD-CMD-032",
            detail=f"There is no {PAGES[-1]}.",
            hint="Read docs/errors.md in a checkout of Mayday.",
        )
    text = page.read_text()
    live = [ErrorEntry(code, _plain(message), _plain(help)) for code, message, help in _ENTRY.findall(text)]
    gone = "No version since says this any more. Look at docs/errors.md of the version that said it."
    return [*live, *(ErrorEntry(code, _plain(message), gone) for code, message in _RETIRED.findall(text))]


def is_code(said: str) -> bool:
    """Whether somebody wrote a code, however they wrote it."""
    return CODE.fullmatch(said.strip(_AROUND)) is not None


def entry(said: str) -> ErrorEntry:
    """The error of a code as people write it: in small letters, in brackets, without its zeros.

    Raises:
        Refused: there is no such code.
    """
    match = CODE.fullmatch(said.strip(_AROUND))
    code = f"MD-{match[1].upper()}-{int(match[2]):03}" if match else ""
    found = next((one for one in entries() if one.code == code), None)
    if found is None:
        raise Refused(
            f"No error has the code {said[:40]}.",
            code="MD-CMD-033",
            detail="A newer version may have said it.",
            hint="mayday errors lists all of them.",
        )
    return found


def _plain(text: str) -> str:
    lines = (re.fullmatch(r"\*(.*)\*|(.*)", line) for line in text.splitlines() if line)
    return "\n".join((line[1] or line[2]).replace(r"\*", "*") for line in lines if line)
