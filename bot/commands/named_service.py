"""Which service and which site stand among the words of a command: before or after the kind, in its place, after `@`.

What is found here is only what somebody named; whether there is such a service is for `actions/stack/choose.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from actions.stack.stack import Service, Stack, service_of

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_NEAR = 0.75
_FIRST = 3


@dataclass(frozen=True)
class NamedService:
    """How a command was said: how many of the words it took, and the service that was named among them."""

    taken: int
    service: str = ""


def without_site(words: Sequence[str]) -> tuple[list[str], str]:
    """The words without `@ site` (or `@site`), and the site.

    It stands among the first words or at the end; elsewhere it belongs to what the procedure reads. Of several none is
    taken.
    """
    at = [i for i, word in enumerate(words) if word.startswith("@")]
    if len(at) != 1:
        return list(words), ""
    [i] = at
    end = i + (1 if len(words[i]) > 1 else 2)
    name = "".join(words[i:end]).lstrip("@")
    if not (i < _FIRST or end == len(words)) or not _NAME.fullmatch(name.casefold()):
        return list(words), ""
    return [*words[:i], *words[end:]], name


def known(command: Sequence[str], kind: str, said: Sequence[str], stack: Stack) -> Iterator[NamedService]:
    """The ways in which the words begin with the command and name a service that there is, and without any name."""
    for at, left_out in _places(command, kind):
        word = said[at] if at < len(said) else ""
        if service_of(stack, word) is not None and _begins(command, said, at, left_out):
            yield NamedService(len(command) + (not left_out), word)
        elif word == kind and kind not in command and _begins(command, said, at, left_out):
            yield NamedService(len(command) + 1)  # /recover postgres window: its kind, which names none.
    if list(said[: len(command)]) == list(command):
        yield NamedService(len(command))


def strange(command: Sequence[str], kind: str, said: Sequence[str], stack: Stack) -> NamedService | None:
    """The words begin with the command, but for one that stands where a service's name would."""
    for at, left_out in _places(command, kind):
        word = said[at] if at < len(said) else ""
        inside = at < len(command) and kind in command
        if inside and _NAME.fullmatch(word) and _begins(command, said, at, left_out):
            if left_out and not _meant(word, kind, stack):
                continue
            return NamedService(len(command) + (not left_out), word)
    return None


def right(said: NamedService, kind: str, stack: Stack, site: str) -> bool:
    """Whether the service that was named is of the procedure's kind."""
    found = _on(said.service, stack, site)
    return not said.service or (found is not None and found.kind == kind)


def _on(name: str, stack: Stack, site: str) -> Service | None:
    return service_of(stack, name, site or stack[0].name) or service_of(stack, name)


def _places(command: Sequence[str], kind: str) -> Iterator[tuple[int, bool]]:
    """Where a name may stand, and whether it stands there in place of the kind. The first word is the slash command."""
    if kind in command:
        k = list(command).index(kind)
        yield from ((k + 1, False), (k, False), (k, True))
    elif kind:
        yield from ((at, False) for at in range(1, len(command) + 1))


def _begins(command: Sequence[str], said: Sequence[str], at: int, left_out: bool) -> bool:
    rest = list(said[:at]) + list(said[at + 1 :])
    wanted = [*command[:at], *command[at + 1 :]] if left_out else list(command)
    return rest[: len(wanted)] == wanted


def _meant(word: str, kind: str, stack: Stack) -> bool:
    """Whether a word that stands for the kind is rather the slip of a service's name than one of the kind's."""
    names = [one.name.casefold() for site in stack for one in site.of_kind(kind)]
    best = max((SequenceMatcher(None, word, name).ratio() for name in names), default=0.0)
    return best >= _NEAR and best > SequenceMatcher(None, word, kind).ratio()
