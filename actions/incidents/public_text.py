"""What may stand on a public page: plain words within limits, without secrets and without our insides."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from actions.engine.errors import Refused
from actions.redact import redact
from actions.tools.outside import Draft, Published

TITLE_LIMIT = 255
TEXT_LIMIT = 25_000
STATUSES = ("investigating", "identified", "monitoring", "resolved")
IMPACTS = ("none", "minor", "major", "critical")
COMPONENT_STATUSES = ("operational", "degraded_performance", "partial_outage", "major_outage")

# Characters that turn the direction of a line around, so that it reads other than it is written.
_TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}

# The words of customers. A list of what is forbidden would never know the next host's or person's name.
_CUSTOMERS_WORDS = (
    "a an the and or of in on for to from with without at some many most all every no not is are was were be been "
    "being can cannot do does don't doesn't work works working answer answers answering load loads loading open "
    "opens slow slowly slower down unavailable available unreachable missing lost late delay delays delayed "
    "disrupted disruption degraded outage outages problem problems trouble issue issues failure failures failing "
    "fails failed interrupted interruption stopped partial partly complete completely major minor performance "
    "message messages channel channels history search searching sign-in signing login logins account accounts "
    "file files upload uploads uploading download downloads picture pictures notification notifications reminder "
    "reminders email emails app apps api website site page pages service services live update updates presence "
    "typing data content sending receiving delivery new old connection connections connecting people customers"
)
_KNOWN = frozenset(_CUSTOMERS_WORDS.split())


def clean(text: str) -> str:
    """The text without secrets, control characters and tricks of direction; lines keep their breaks."""
    whole = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(c for c in whole if c in "\n\t" or not _hidden(c))
    return redact("\n".join(line.rstrip() for line in kept.split("\n")).strip())


def _hidden(character: str) -> bool:
    return unicodedata.category(character) == "Cc" or ord(character) in _TURNING


def fit(draft: Draft) -> Draft:
    """The draft as it can be published: cleaned, and within what every status page takes.

    Raises:
        Refused: it says nothing, is too long, or names a status or an impact that no page knows.
    """
    title, text = " ".join(clean(draft.title).split()), clean(draft.text)
    wrong = _wrong(draft, title, text)
    if wrong:
        raise Refused(
            "The update cannot be published like this.",
            code="MD-INC-012",
            detail=" ".join(wrong),
            hint="Edit it and try again.",
        )
    return replace(draft, title=title, text=text)


def _wrong(draft: Draft, title: str, text: str) -> list[str]:
    known = draft.status in STATUSES and draft.impact in IMPACTS
    checks = (
        (bool(draft.incident), "It belongs to no incident."),
        (bool(title), "The title is empty."),
        (len(title) <= TITLE_LIMIT, f"The title has {len(title)} characters, {TITLE_LIMIT} are possible."),
        (bool(text), "The text is empty."),
        (len(text) <= TEXT_LIMIT, f"The text has {len(text)} characters, {TEXT_LIMIT} are possible."),
        (known, f"The status is one of {', '.join(STATUSES)}; the impact one of {', '.join(IMPACTS)}."),
        (
            set(draft.components.values()) <= set(COMPONENT_STATUSES),
            f"A component is one of {', '.join(COMPONENT_STATUSES)}.",
        ),
    )
    return [words for fits, words in checks if not fits]


def same_text(one: str, other: str) -> bool:
    """Whether two texts say the same; pages change blanks and line ends as they like."""
    return clean(one).split() == clean(other).split()


def stands(draft: Draft, published: Published | None) -> bool:
    """Whether the newest update on the page is this draft."""
    return published is not None and published.status == draft.status and same_text(published.last_text, draft.text)


def in_plain_words(summary: str) -> str:
    """An alert's summary as a title for customers, empty where it says anything that is not in their words.

    Hosts, containers, tables, people, paths, addresses and figures never pass: one such word, and the
    summary is left out as a whole.
    """
    words = [word.rstrip(".,;:!?") for word in summary.replace("’", "'").split()]
    if not 2 <= len(words) <= 12 or not all(word.casefold() in _KNOWN for word in words):
        return ""
    sentence = " ".join(words)
    return sentence[:1].upper() + sentence[1:]
