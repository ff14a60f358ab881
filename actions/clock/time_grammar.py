"""The grammar of times: a day in any form, a clock, a zone, spans before now or before another time.

Every pattern is linear on what `tidy` lets through, and matches whole texts in lower case.
"""

from __future__ import annotations

import re

from actions.clock.calendar_days import DAY

_AMOUNT = r"(\d{1,7}(?:\.\d{1,3})?|an?(?=\s))\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)"
_AMOUNTS = rf"{_AMOUNT}(?:(?:,?\s*(?:and\s+)?){_AMOUNT}){{0,4}}"
AGO = re.compile(rf"{_AMOUNTS}\s+ago", re.ASCII)
ONE_AMOUNT = re.compile(rf"{_AMOUNT}(?![a-z])", re.ASCII)
TO_COME = re.compile(rf"in {_AMOUNTS}|{_AMOUNTS} from now", re.ASCII)
JUST_BEFORE = re.compile(r"(?:just|right|immediately) before (?P<rest>.+)", re.ASCII)
SPAN_BEFORE = re.compile(rf"(?P<span>{_AMOUNTS}) before (?P<rest>.+)", re.ASCII)
UNIX = re.compile(r"(?:@|(?:unix(?: time)?|epoch) )?(?:(\d{10})(?:\.(\d{1,6}))?|(\d{13})|(\d{16}))", re.ASCII)
"""Seconds since 1970, maybe with a fraction; milliseconds; microseconds."""
XID = re.compile(r"(?:just )?before (?:xid|transaction|tx) #?(\d{1,20})", re.ASCII)
LSN = re.compile(r"(?:just )?before (?:lsn )?([0-9a-f]{1,8}/[0-9a-f]{1,8})", re.ASCII)

_HOURS = r"(?:\s?h(?:rs|ours)?)?"
_CLOCK = (
    r"(?:(?P<hour>\d{1,2})(?:(?:[:.]|h ?)(?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    rf"(?:\s?(?P<half>[ap?])\.?m\.?|{_HOURS})|\s?(?P<half2>[ap?])\.?m\.?|h(?!\w))|"
    rf"(?P<hour2>\d{{2}})(?P<minute2>\d{{2}})(?P<second2>\d{{2}})?{_HOURS}|"
    r"(?P<hour3>\d{1,2})(?P<minute3>\d{2})\s?(?P<half3>[ap])\.?m\.?)"
)
"""14:30, 14.30, 14h30, 14h, 1430, 143005, 2:30pm, 2pm, 230pm. What stands without marks is a time, never a year."""


def _zone(n: str) -> str:
    numbers = rf"\s*(?P<zone{n}>z|(?:utc|gmt)?\s?[+-]\d{{1,2}}(?::?\d{{2}})?)"
    named = rf"\s+\(?(?:in )?(?!(?:on|at)\b)(?P<named{n}>[a-z][a-z_/+-]*[a-z0-9_/+-]*(?: [a-z]+){{0,2}}?)(?: time)?\)?"
    return f"(?:{numbers}|{named})?"


TIME = re.compile(rf"(?:(?P<day>{DAY})(?:t|:|,?\s+(?:at\s+)?))?(?:at\s+)?{_CLOCK}{_zone('')}", re.ASCII)
DAY_LAST = re.compile(rf"(?:at\s+)?{_CLOCK}{_zone('')},?\s+(?:on\s+)?(?P<day>{DAY}){_zone('2')}", re.ASCII)
YEAR = re.compile(r"(?:19|20)\d{2}", re.ASCII)
SEVERAL = re.compile(
    r"(?:between |from )?(\d{1,2}[:.]\d{2}(?::\d{2})?) ?(?:to|and|or|until|till) ?(\d{1,2}[:.]\d{2}(?::\d{2})?)",
    re.ASCII,
)
HALF_HOUR = re.compile(r"(?:at )?half (\d{1,2})", re.ASCII)
_SOME = r"(?:an?|some|a few|a little|several) (?:few )?(?:while|time|moments?|seconds|minutes|hours|days) ago"
VAGUE = re.compile(
    r"(?:(?:this|last|yesterday|in the) )?(?:morning|afternoon|evening|night|lunch(?:time)?)|"
    rf"earlier(?: today)?|recently|just now|{_SOME}|tonight|last week|last month",
    re.ASCII,
)
"""Words for a time that is no single moment."""
