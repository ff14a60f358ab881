"""New errors get the next free number of their area. A number that was ever given is not given again.

An error whose code was lost, as when two branches were put together, gets it back: the page still has its message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from tests.errors.areas import AREAS, CODE, area_of
from tests.errors.said import message_of
from tests.errors.source import Raise, raises


class WrongCode(Exception):
    """A code in the source that only a person can put right; the message says where and how."""


def numbered(texts: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """The files with a code for each error; `known` are all codes that were ever given, with their messages.

    Raises:
        WrongCode: a code is no code, stands at two places, or cannot be written there.
    """
    made = raises(texts)
    check(made)
    taken = {one.code for one in made if one.code}
    free: dict[str, list[str]] = defaultdict(list)
    for code, said in sorted(known.items(), reverse=True):
        if said and code not in taken:
            free[said].append(code)
    last = _last_numbers([*known, *filter(None, taken)])
    missing: dict[str, list[tuple[Raise, str]]] = defaultdict(list)
    for one in made:
        if not _needs(one):
            continue
        lost = free[message_of(one)]
        if not lost:
            area = one.code.removeprefix("MD-") if one.code else area_of(one.place)
            last[area] += 1
        missing[one.place].append((one, lost.pop() if lost else f"MD-{area}-{last[area]:03}"))
    return {**texts, **{place: _inserted(texts[place], found) for place, found in missing.items()}}


def check(made: Iterable[Raise]) -> None:
    """See that each code is one, and stands at one place alone.

    Raises:
        WrongCode: it is not so.
    """
    seen: dict[str, Raise] = {}
    for one in made:
        code = one.code
        if code is None and any(word.arg == "code" for word in one.call.keywords):
            raise WrongCode(f"{one.where}: write the code as a text, or as that of another error: code=error.code")
        if not code:
            continue
        match = CODE.fullmatch(code)
        if (match[1] if match else code.removeprefix("MD-")) not in AREAS:
            raise WrongCode(f"{one.where}: {code!r} is no code; leave it out, `make errors` numbers it.")
        if match and code in seen:
            raise WrongCode(f"{one.where}: {code} is that of {seen[code].where}. Take it out at the newer of the two.")
        seen[code] = one


def _needs(one: Raise) -> bool:
    return one.code is None or (one.code != "" and not CODE.fullmatch(one.code))


def _last_numbers(codes: Iterable[str]) -> dict[str, int]:
    last = defaultdict(int, dict.fromkeys(AREAS, 0))
    for code in codes:
        if match := CODE.fullmatch(code):
            last[match[1]] = max(last[match[1]], int(match[2]))
    return last


def _inserted(text: str, found: Iterable[tuple[Raise, str]]) -> str:
    """Positions of the syntax tree count bytes; from the end, so that those before stay right."""
    lines = text.encode().splitlines(keepends=True)
    begins = [0]
    for line in lines:
        begins.append(begins[-1] + len(line))
    whole = b"".join(lines)
    for one, code in sorted(found, key=lambda pair: (pair[0].call.lineno, pair[0].call.col_offset), reverse=True):
        given = next((word.value for word in one.call.keywords if word.arg == "code"), None)
        if given is not None and given.end_lineno and given.end_col_offset is not None:
            start = begins[given.lineno - 1] + given.col_offset
            end = begins[given.end_lineno - 1] + given.end_col_offset
            whole = whole[:start] + f'"{code}"'.encode() + whole[end:]
            continue
        message = one.call.args[0] if one.call.args else None
        if message is None or not message.end_lineno or message.end_col_offset is None:
            raise WrongCode(f"{one.where}: give the message as the first argument.")
        at = begins[message.end_lineno - 1] + message.end_col_offset
        whole = whole[:at] + f', code="{code}"'.encode() + whole[at:]
    return whole.decode()
