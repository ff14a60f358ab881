"""Our words on a PagerDuty status page, whose owner chooses the words of statuses, severities and impacts.

Where a page has no word of ours, the nearest one is taken and ours is said at the start of the text, so
that what is read back is what was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

STATUSES: dict[str, tuple[str, ...]] = {
    "investigating": ("investigating", "detected"),
    "identified": ("identified", "detected", "investigating"),
    "monitoring": ("monitoring", "investigating", "detected"),
    "resolved": ("resolved",),
}
SEVERITIES: dict[str, tuple[str, ...]] = {
    "critical": ("critical", "major", "minor"),
    "major": ("major", "critical", "minor"),
    "minor": ("minor", "major"),
    "none": ("all good", "none", "minor"),
}
IMPACTS: dict[str, tuple[str, ...]] = {
    "operational": ("operational",),
    "degraded_performance": ("degraded performance", "degraded", "partial outage"),
    "partial_outage": ("partial outage", "degraded performance", "outage"),
    "major_outage": ("outage", "major outage", "full outage", "partial outage"),
}

_SAID = re.compile(rf"({'|'.join(s.capitalize() for s in STATUSES)}):\s+(.*)", re.DOTALL)


def nearest(ours: str, wanted: Mapping[str, tuple[str, ...]], theirs: Mapping[str, str]) -> str | None:
    """The id of their word that is nearest to ours; `theirs` maps their words, in small letters, to ids."""
    return next((theirs[word] for word in wanted.get(ours, ()) if word in theirs), None)


def spoken(status: str, text: str, their_word: str) -> str:
    """The text as it is posted under their word."""
    return text if heard(text, their_word) == (status, text) else f"{status.capitalize()}: {text}"


def heard(text: str, their_word: str) -> tuple[str, str]:
    """Our status and text from what stands there."""
    if said := _SAID.match(text):
        return said[1].casefold(), said[2]
    ours = next((status for status, words in STATUSES.items() if words[0] == their_word), None)
    return ours or next((s for s, words in STATUSES.items() if their_word in words), their_word), text
