"""The post-incident document as Markdown and as HTML. The one file in which templates are filled in."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from actions.incidents.document import Document
from actions.postgres.times import span_words, spell

_MARKUP = re.compile(r"([\\`*{}\[\]<>#|~]|(?<!\w)_|_(?!\w))")
_BEGINS = re.compile(r"^([-+=]|\d+(?=[.)]))")
_ADDRESS = re.compile(r"https?://[^\s<>\"'`]+")


def markdown(found: Document) -> str:
    """The document as Markdown; what people and programs said cannot mark anything up."""
    text = _fill("incident.md.j2", found, autoescape=False)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def html(found: Document) -> str:
    """The document as one HTML page that needs nothing else."""
    return _fill("incident.html.j2", found, autoescape=True)


def _fill(template: str, found: Document, autoescape: bool) -> str:
    environment = Environment(loader=PackageLoader("actions.incidents"), autoescape=autoescape, trim_blocks=True,
                              lstrip_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True)  # fmt: skip
    environment.filters.update(md=_plain, link=_link, moment=_moment, clock=_clock, span=_span)
    values: dict[str, Any] = {field.name: getattr(found, field.name) for field in fields(found)}
    return environment.get_template(template).render(values)


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
    """A length of time; short ones to a tenth of a second."""
    length = span if isinstance(span, timedelta) else timedelta(seconds=span)
    seconds = length.total_seconds()
    return f"{seconds:.1f} s" if 0 < seconds < 60 else span_words(length)
