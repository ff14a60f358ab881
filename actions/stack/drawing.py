"""The stack as text: the services of a site in waves, what needs what, how each was last seen, where its data lies.

It is drawn with plain characters and fits 100 columns where names are short, so that it looks the same in a terminal,
in a message and in a log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from actions.clock.times import span_words
from actions.stack.order import waves
from actions.stack.stack import Service, ServiceKind, Site
from actions.watch.service_condition import Condition

_WELL, _ILL, _UNKNOWN = "✓", "✗", "?"


def drawn(site: Site, seen: Mapping[str, Condition], now: datetime) -> str:
    """One site. `seen` is how its services were last seen, by name; what is not in it nobody has looked at."""
    width = max((len(one.name) for one in site.services), default=0)
    words = max((len(_word(seen.get(one.name), now)) for one in site.services), default=0)
    lines = [f"Site {site.name}" + (f", Docker at {site.docker}" if site.docker else "")]
    for number, wave in enumerate(waves(site.services), 1):
        lines.append(f"{number}. {_head(number, wave)}")
        lines += (_line(one, seen.get(one.name), now, width, words) for one in wave)
    return "\n".join([*lines, *_below(site, seen, now)])


def _head(number: int, wave: tuple[Service, ...]) -> str:
    if all(one.kind is ServiceKind.MONITORING for one in wave):
        return "only watch, so they come last"
    return "need nothing" if number == 1 else "start after those above"


def _line(service: Service, seen: Condition | None, now: datetime, width: int, words: int) -> str:
    told = f"   {_mark(seen, now)} {service.name:<{width}}  {_word(seen, now):<{words}}"
    return "  ".join([told, *_more(service)]).rstrip()


def _more(service: Service) -> Iterator[str]:
    if service.needs:
        yield f"needs {', '.join(service.needs)}"
    if service.optional:
        yield "optional"
    if service.folders:
        yield f"data in {', '.join(service.folders)}"


def _mark(seen: Condition | None, now: datetime) -> str:
    if seen is None or seen.old(now):
        return _UNKNOWN
    return {True: _WELL, False: _ILL, None: _UNKNOWN}[seen.serves]


def _word(seen: Condition | None, now: datetime) -> str:
    """How it was last seen; what is old may be otherwise by now, so its age is said."""
    if seen is None:
        return "not seen"
    age = f", {span_words(now - seen.seen_at)} ago" if seen.old(now) else ""
    container = f" ({seen.health.container})" if seen.health.container else ""
    return f"{seen.word()}{container}{age}"


def _below(site: Site, seen: Mapping[str, Condition], now: datetime) -> Iterator[str]:
    """What is wrong in full, what else stands there, and since when nobody has looked."""
    for one in site.services:
        found = seen.get(one.name)
        memory = found.memory.says() if found and found.memory else ""
        for said in filter(None, (found.health.detail if found and not found.health.well else "", memory)):
            yield f"{one.name}: {said}"
    beside = sorted(name for name in seen if site.service(name) is None)
    if beside:
        yield f"Beside it, in no table of services: {', '.join(beside)}"
    if not seen:
        yield "No worker has looked at this site yet."
