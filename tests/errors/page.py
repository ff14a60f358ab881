"""docs/errors.md: what each error means and what to do, by area, from the source and the notes in notes.toml.

The page is also the memory of the codes: what stands on it was given, and whatever is gone from the source is retired.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.errors.areas import AREAS, CODE
from tests.errors.said import hints_of, message_of, messages_of
from tests.errors.source import Raise, classes, raises
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "errors.md"
NOTES = Path(__file__).with_name("notes.toml")

_HEAD = """# Errors

Whatever goes wrong, Mayday says what happened, what was seen and what to do next, with a code such as `MD-PG-012` in
brackets: in the thread, in a dialog, in the terminal, in the journal, in documents and logs, and as `code` in `--json`.
Search this page for the code, or ask for it: `mayday errors MD-PG-012`, in Slack `/recover help MD-PG-012`. A code is
never given to another error; its words may change. What stands in ‹angles› is filled in when it happens.

*Made by `make errors` from the source and `tests/errors/notes.toml`: change those, not this page.*
"""
_KINDS = {
    "Refused": "Refused; nothing was touched for it.",
    "Away": "Tried again by itself for a while.",
    "Stopped": "The step ended at its next safe place.",
    "Fenced": "This process did nothing more; another one goes on.",
}
_LIVE = re.compile(rf"^### ({CODE.pattern})\n\n\*\*(.*)\*\*$", re.MULTILINE)
_GONE = re.compile(rf"^- `({CODE.pattern})`: (.*)$", re.MULTILINE)


def known(page: str) -> dict[str, str]:
    """Every code that was ever given, with its message at that time."""
    return {match[1]: match[4].replace(r"\*", "*") for pattern in (_LIVE, _GONE) for match in pattern.finditer(page)}


def page(texts: Mapping[str, str], before: str, notes: Mapping[str, Mapping[str, str]]) -> str:
    """The page for these files; `before` is what it was."""
    made = {one.code: one for one in raises(texts) if one.code}
    above = classes(map(ast.parse, texts.values()))
    parts = [_HEAD]
    for area, about in AREAS.items():
        mine = sorted(code for code in made if code.startswith(f"MD-{area}-"))
        if mine:
            parts.append(f"## MD-{area}: {about}\n")
            parts += ["\n".join(_entry(code, made[code], notes.get(code, {}), above)) for code in mine]
    gone = {code: said for code, said in known(before).items() if code not in made}
    if gone:
        parts.append("## Retired\n\nNothing says these any more, and nothing else ever will.\n")
        parts.append("\n".join(f"- `{code}`: {_escaped(said)}" for code, said in sorted(gone.items())) + "\n")
    return "\n".join(parts)


def notes() -> dict[str, dict[str, str]]:
    """What was written by hand, by code: `meaning`, and `message` or `do` where the source cannot tell."""
    return tomllib.loads(NOTES.read_text())


def _entry(code: str, one: Raise, note: Mapping[str, str], above: Mapping[str, str]) -> Iterator[str]:
    yield f"### {code}\n\n**{_escaped(message_of(one) or note.get('message', '…'))}**\n"
    if "meaning" in note:
        yield f"{note['meaning'].strip()}\n"
    todo = [note["do"].strip()] if "do" in note else hints_of(one)
    if "do" not in note and len(todo) == len(ways := messages_of(one)) > 1:
        todo = [f"{way} {hint}" for way, hint in zip(ways, todo, strict=True)]
    if len(todo) == 1:
        yield f"What to do: {_escaped(todo[0])}\n"
    elif todo:
        yield "What to do, by what was seen:\n\n" + "\n".join(f"- {_escaped(hint)}" for hint in todo) + "\n"
    kind = _kind(one.name, above)
    yield f"*{kind} {one.place}*\n" if kind else f"*{one.place}*\n"


def _escaped(said: str) -> str:
    return said.replace("*", r"\*")


def _kind(name: str, above: Mapping[str, str]) -> str:
    while name and name not in _KINDS:
        name = above.get(name, "")
    return _KINDS.get(name, "")
