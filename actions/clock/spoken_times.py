"""Times in words, rewritten as figures: half past two, an hour and a half ago, noon, this morning at 9, 14h30, 1430.

What is written here means the same as what was said, and nothing is decided: an hour of which the half of the day is
not said keeps a mark (`?m`), and whoever reads it asks which one is meant.
"""

from __future__ import annotations

import re

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = {
    name: 10 * n
    for n, name in enumerate(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2)
}
_NUMBER = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})(?:[- ](?P<one>{'|'.join(_ONES[1:10])}))?|(?P<ones>{'|'.join(_ONES)}))\b"
)
_LONG = r"(hours?|days?|minutes?|weeks?)"
_HALVES = {"minute": "30 seconds", "hour": "30 minutes", "day": "12 hours", "week": "84 hours"}
_HOUR = r"(?P<hour>\d{1,2}|noon|midnight)(?P<said>\s?[ap]\.?m\.?)?"
_PAST = re.compile(
    rf"\b(?:(?P<half>half)|(?:an? )?(?P<quarter>quarter)|(?P<minutes>\d{{1,2}})(?: min(?:ute)?s?)?)\s+"
    rf"(?P<way>past|after|to|before|till?)\s+{_HOUR}(?! ?[:.]\d)\b",
    re.ASCII,
)
_OCLOCK = re.compile(r"\b(\d{1,2})(?:[:.](\d{2}))?(\s?[ap]\.?m\.?)?\s?(?:o'?clock|uhr)\b(\s?[ap]\.?m\b\.?)?", re.ASCII)
_PART = re.compile(r"\b(?:(this|yesterday) |in the |at )(morning|afternoon|evening|night)\b(?! ?\d* ?ago)", re.ASCII)
_FIRST_CLOCK = re.compile(r"(?<![\d:.-])(\d{1,2})((?:[:.]\d{2}){0,2})(?![\d:.-])(?:\s\?m)?(?!\s?[ap]\.?m)", re.ASCII)
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})t?(\d{2})(\d{2})(\d{2})?(z)?", re.ASCII)
_PASTED = re.compile(
    r"(?P<day>(?:[a-z]{3},? )?[a-z]{3} +\d{1,2}) (?P<clock>\d{2}:\d{2}:\d{2}(?:\.\d+)?)"
    r"(?: (?P<zone>[a-z]{1,5}|[+-]\d{2}:?\d{2}))? (?P<year>20\d{2})",
    re.ASCII,
)
_PLAIN = (
    (re.compile(r"^(?:back )?to (?=\S)|^as (?:of|at|it was at) (?=\S)|^how it was at (?=\S)"), ""),
    (re.compile(r"\b(?:the )?day before yesterday\b"), "2 days ago"),
    (re.compile(r"\ba couple of\b"), "2"),
    (re.compile(r"\b(?:earlier|back|before now)$"), "ago"),
    (re.compile(r"\b(?:12 )?noon\b|\bmidday\b"), "12:00"),
    (re.compile(r"\b(?:12 |last )?midnight\b"), "00:00"),
)


def in_figures(words: str) -> str:
    """The same moment without words for numbers, spans and parts of the day. `words` are tidy and in lower case."""
    said = _NUMBER.sub(_number, words)
    said = _spans(said)
    said = _PAST.sub(_past, said)
    said = _OCLOCK.sub(_oclock, said)
    for pattern, figures in _PLAIN:
        said = pattern.sub(figures, said)
    said = _part_of_day(said)
    if pasted := _PASTED.fullmatch(said):
        zone = f" {pasted['zone']}" if pasted["zone"] else ""
        return f"{pasted['day']} {pasted['year']} {pasted['clock']}{zone}"
    if compact := _COMPACT.fullmatch(said):
        year, month, day, hour, minute, second, utc = compact.groups()
        return f"{year}-{month}-{day} {hour}:{minute}" + (f":{second}" if second else "") + (utc or "")
    return said


def _number(found: re.Match[str]) -> str:
    if found["ones"]:
        return str(_ONES.index(found["ones"]))
    return str(_TENS[found["tens"]] + (_ONES.index(found["one"]) if found["one"] else 0))


def _spans(said: str) -> str:
    """Halves and quarters of a span: half an hour, an hour and a half, 2 and a half hours, a quarter of an hour."""
    said = re.sub(rf"\b(an?|\d+) {_LONG} and a half\b", lambda f: f"{f[1]} {f[2]} {_half(f[2])}", said)
    said = re.sub(rf"\b(\d+) and a half {_LONG}", lambda f: f"{f[1]} {f[2]} {_half(f[2])}", said)
    said = re.sub(rf"\b(\d+) 1/2 {_LONG}", lambda f: f"{f[1]} {f[2]} {_half(f[2])}", said)
    said = re.sub(rf"\b(?:a )?half (?:an? )?{_LONG}", lambda f: _half(f[1]), said)
    said = re.sub(r"\b(an?|\d+) (hours?) and a quarter\b", r"\1 \2 15 minutes", said)
    said = re.sub(r"\b(?:3|three) quarters of an hour\b", "45 minutes", said)
    return re.sub(r"\b(?:a )?quarter (?:of )?an hour\b|\ba quarter hour\b", "15 minutes", said)


def _half(unit: str) -> str:
    return _HALVES[unit.rstrip("s")]


def _past(found: re.Match[str]) -> str:
    """Half past two, a quarter to three: figures, with a mark where the half of the day is open."""
    minutes = 30 if found["half"] else 15 if found["quarter"] else int(found["minutes"])
    hour = {"noon": 12, "midnight": 0}.get(found["hour"]) if found["hour"].isalpha() else int(found["hour"])
    assert hour is not None
    if hour > 23 or not 0 < minutes < 60:
        return found[0]
    to = found["way"] in ("to", "before", "till", "til")
    if found["half"] and to:
        return found[0]
    at = (hour * 60 + (-minutes if to else minutes)) % 1440
    open_half = not found["hour"].isalpha() and not found["said"] and 1 <= hour <= 12
    # An hour before one o'clock is said as 12 of the same half: a quarter to 1 pm is 12:45 pm.
    shown = (at // 60 - 1) % 12 + 1 if open_half or found["said"] else at // 60
    return f"{shown}:{at % 60:02}" + (found["said"] or (" ?m" if open_half else ""))


def _oclock(found: re.Match[str]) -> str:
    clock = f"{found[1]}:{found[2] or '00'}"
    german = found[0].endswith("uhr")
    return clock + (found[3] or found[4] or ("" if german or found[2] or not 1 <= int(found[1]) <= 12 else " ?m"))


def _part_of_day(said: str) -> str:
    """“this morning at 9”, “2:30 in the afternoon”, “yesterday evening 8:15”."""
    part = _PART.search(said)
    if part is None:
        return said
    rest = re.sub(r"^at |(?<= )at (?=\d)", "", " ".join((said[: part.start()] + said[part.end() :]).split()))
    marked, found = _FIRST_CLOCK.subn(lambda f: _with_half(f, part[2], part[1] or ""), rest, count=1)
    day = {"this": "today ", "yesterday": "yesterday "}.get(part[1] or "", "")
    return f"{day}{marked}" if found else said


def _with_half(clock: re.Match[str], part: str, day: str) -> str:
    hour, figures = int(clock[1]), f"{clock[1]}{clock[2].replace('.', ':')}"
    if hour > 12 or hour == 0:
        fits = {"morning": hour == 0, "afternoon": hour < 19, "evening": hour > 15, "night": hour == 0 or hour > 19}
        return figures + ("" if clock[2] else ":00") if fits[part] else f"{figures} {part}"
    if part == "night":
        # Which night that is, is only clear before midnight.
        half = ("p" if 7 <= hour < 12 else "?") if day else ("p" if 7 <= hour < 12 else "a")
    else:
        half = "?" if part == "morning" and hour == 12 else "a" if part == "morning" else "p"
    return f"{figures} {half}m"
