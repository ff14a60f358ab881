"""Words for a time that are no single moment: those to come, two at once, those that leave open which one is meant."""

from __future__ import annotations

import re

from actions.clock.time_grammar import HALF_HOUR, SEVERAL, TO_COME, VAGUE
from actions.clock.wallclock import Wall
from actions.clock.zones import WhenError

_CLOCK_LIKE = re.compile(r"(?<=\d)-(\d{1,2}):(\d{2})\Z", re.ASCII)


def must_be_one_moment(words: str, figures: str) -> None:
    """Refuse what is known to be none. `figures` are the words with their numbers as figures.

    Raises:
        WhenError: with what to say instead.
    """
    if TO_COME.fullmatch(figures):
        raise WhenError(
            f"“{words}” is in the future.",
            code="MD-WHEN-018",
            hint="Did you mean that long ago? For example: 20m ago.",
            instead=(f"{figures.removeprefix('in ').removesuffix(' from now')} ago",),
        )
    if several := SEVERAL.fullmatch(figures):
        raise WhenError(
            f"“{words}” names two times.",
            code="MD-WHEN-019",
            detail="A recovery goes to one moment.",
            hint=f"Say one of them: “{several[1]}” or “{several[2]}”.",
            instead=(several[1], several[2]),
        )
    if (half := HALF_HOUR.fullmatch(figures)) and 1 <= int(half[1]) <= 12:
        hour = int(half[1])
        raise WhenError(
            f"“{words}” means half past to some people, and half before to others.",
            code="MD-WHEN-020",
            detail="It was not looked up.",
            hint=f"Say it in figures: “{hour}:30” or “{hour - 1}:30”.",
            instead=(f"{hour}:30", f"{hour - 1}:30"),
        )
    if VAGUE.fullmatch(words):
        raise WhenError(
            f"“{words}” is no single moment.",
            code="MD-WHEN-021",
            detail="A recovery goes to one moment, and all that was committed after it is left out.",
            hint="Say the time, for example: today 09:15, yesterday 23:00, 20m ago.",
        )


def must_be_an_offset(wall: Wall, stated: str) -> None:
    """Refuse “13:00-13:30”: what looks like an offset and could be a second time.

    Raises:
        WhenError: with both readings.
    """
    found = _CLOCK_LIKE.search(wall.words)
    if found and wall.day is None and (int(found[1]), int(found[2])) > (wall.clock.hour, wall.clock.minute):
        raise WhenError(
            f"“{wall.words}” can be two times, or a time in the zone {stated}.",
            code="MD-WHEN-022",
            hint=f"Say one time, “{wall.shown}”, or put a space before the offset: “{wall.shown} {stated}”.",
            instead=(wall.shown, f"{found[1]}:{found[2]}", f"{wall.shown} {stated}"),
        )
