"""The post-incident document as Markdown and as HTML. The one file in which templates are filled in."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from actions.clock.times import span_words, spell
from actions.incidents.document import Document, Version

_MARKUP = re.compile(r"([\\`*{}\[\]<>#|~]|(?<!\w)_|_(?!\w))")
_BEGINS = re.compile(r"^([-+=]|\d+(?=[.)]))")
_MOST_FRESH = 12
"""So many new lines are told ahead of the timeline, which has all of them."""
_ADDRESS = re.compile(r"https?://[^\s<>\"'`|]+")


def markdown(found: Document) -> str:
    """The document as Markdown; what people and programs said cannot mark anything up."""
    text = _fill("incident.md.j2", found, autoescape=False)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def html(found: Document) -> str:
    """The document as one HTML page that needs nothing else."""
    return _fill("incident.html.j2", found, autoescape=True)


def _fill(template: str, found: Document, autoescape: bool) -> str:
    values: dict[str, Any] = {field.name: getattr(found, field.name) for field in fields(found)}
    return _environment(autoescape).get_template(template).render(values, most_fresh=_MOST_FRESH)


@cache
def _environment(autoescape: bool) -> Environment:
    made = Environment(
        loader=PackageLoader("actions.incidents"),
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    made.filters.update(
        md=_plain, link=_link, moment=_moment, clock=_clock, span=_span, edition=_edition, numbered=_numbered
    )
    return made


def _edition(version: Version | None) -> str:
    """Which version it is, whose place it takes, and whether it stands in the thread."""
    if version is None:
        return ""
    earlier = f"version {version.number - 1} of {_moment(version.before)}" if version.before else ""
    if version.given_at is None:
        return f"This tells more than {earlier}, which is the newest in the thread. "
    takes = f"; it takes the place of {earlier}" if earlier else ""
    return f"Version {version.number}, written {_moment(version.given_at)}{takes}. "


def _plain(text: object) -> str:
    """Somebody's text within a line of Markdown."""
    told = _MARKUP.sub(r"\\\1", " ".join(str(text).split()))
    return _BEGINS.sub(lambda found: f"\\{found[1]}" if not found[1].isdigit() else f"{found[1]}\\", told)


def _link(url: str) -> str:
    """An address if it is one, else nothing."""
    return f"<{url}>" if _ADDRESS.fullmatch(url) else ""


def _moment(at: datetime) -> str:
    return spell(at.replace(microsecond=0))


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _span(span: timedelta | float) -> str:
    """A length of time as finely as it matters: 0.4 s, 4 min 12 s, 2 h 11 min."""
    length = span if isinstance(span, timedelta) else timedelta(seconds=span)
    seconds = length.total_seconds()
    if 0 < seconds < 0.05:
        return "under 0.1 s"
    if 0 < seconds < 60:
        return f"{seconds:.1f} s"
    rest = f" {int(seconds) % 60} s" if 60 <= seconds < 3600 and int(seconds) % 60 else ""
    return span_words(length) + rest


def _numbered(number: int, url: str) -> str:
    """The number of an alert, in Markdown a link to it."""
    return f"[{number}]({_link(url)})" if _link(url) else str(number)
