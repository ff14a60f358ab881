"""The stack as a picture: the services of a site in waves, lines to what they need, how each was last seen, its data.

It is SVG that a phone shows without scrolling sideways, in the light or dark colours of whoever looks. What is seen
does not change with the clock alone: moments are told, not ages, so that an equal picture has an equal text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from textwrap import wrap

from actions.clock.times import spell
from actions.stack.order import waves
from actions.stack.stack import Service, ServiceKind, Site
from actions.watch.service_condition import Condition

WIDTH = 480
"""Units of a picture's width; at 390 pixels its smallest text is 11 pixels high."""
_LANE, _EDGE, _GAP, _PAD = 16, 16, 10, 14
_NAME, _TEXT = 18, 14
_WIDE, _NARROW = 0.7, 0.58
"""How wide a letter is on the average, bold or not, by its size."""
_MOST_LINES = 3
_WELL, _ILL, _UNKNOWN = "well", "ill", "unknown"
_WORDS = {_WELL: "well", _ILL: "not well", _UNKNOWN: "not known"}
_MARKS = {_WELL: "M-5 0l4 4 7-8", _ILL: "M-4-4l8 8M4-4l-8 8", _UNKNOWN: "M-5 0h10"}
"""Of each state a sign of its own: colours alone are not seen by everybody."""
_STYLE = """
text{font-family:'DejaVu Sans',Verdana,sans-serif;fill:#1f2328}
.back{fill:#ffffff}.card{fill:#f6f8fa;stroke:#d0d7de}.soft{fill:#57606a}
.lane{stroke:#57606a;stroke-width:2;fill:none}.dot{fill:#57606a}
.sign{stroke:#ffffff;stroke-width:2.5;fill:none;stroke-linecap:round;stroke-linejoin:round}
.well{fill:#1a7f37}.ill{fill:#cf222e}.unknown{fill:#6e7781}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}.back{fill:#0d1117}.card{fill:#161b22;stroke:#30363d}.soft{fill:#9da7b3}
.lane{stroke:#9da7b3}.dot{fill:#9da7b3}.sign{stroke:#0d1117}
.well{fill:#3fb950}.ill{fill:#ff7b72}.unknown{fill:#9da7b3}}
"""


@dataclass(frozen=True)
class SiteSeen:
    """A site and how its services were last seen, by name; what is not in it nobody has looked at."""

    site: Site
    seen: Mapping[str, Condition]


@dataclass(frozen=True)
class _Card:
    """One service where it stands; `top` is its place from above."""

    service: Service
    state: str
    lines: tuple[str, ...]
    top: int

    @property
    def height(self) -> int:
        return 2 * _PAD + _NAME + len(self.lines) * (_TEXT + 6)

    @property
    def middle(self) -> int:
        return self.top + _PAD + _NAME // 2


def svg(sites: Sequence[SiteSeen], now: datetime) -> str:
    """One picture of the sites, below each other."""
    parts, top = list[str](), 0
    for one in sites:
        drawn, top = _site(one, now, top)
        parts += drawn
    height = top + _EDGE
    title = escape(", ".join(f"site {one.site.name}" for one in sites))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
            f' style="width:100%;max-width:{WIDTH * 3 // 2}px;height:auto;display:block;margin:0 auto" role="img">',
            f"<title>The stack: {title}</title>",
            f"<desc>{escape(told(sites, now))}</desc>",
            f"<style>{_STYLE}</style>",
            f'<rect class="back" width="{WIDTH}" height="{height}" rx="12"/>',
            *parts,
            "</svg>\n",
        ]
    )


def told(sites: Sequence[SiteSeen], now: datetime) -> str:
    """All that the picture says, as text."""
    return "\n".join(line for one in sites for line in _told(one, now))


def _told(one: SiteSeen, now: datetime) -> Iterator[str]:
    yield _head(one.site)
    for number, wave in enumerate(waves(one.site.services), 1):
        yield f"{number}. {_wave_head(number, wave)}"
        for service in wave:
            state, lines = _state(one.seen.get(service.name), now), _lines(service, one.seen.get(service.name), now)
            needs = [f"needs {', '.join(service.needs)}"] if service.needs else []
            yield f"{service.name}: {_WORDS[state]}; " + "; ".join([*lines, *needs])
    if beside := _beside(one):
        yield beside


def _beside(one: SiteSeen) -> str:
    """What else was seen there."""
    names = sorted(name for name in one.seen if one.site.service(name) is None)
    return f"Beside it, in no table of services: {', '.join(names)}" if names else ""


def _head(site: Site) -> str:
    return f"Site {site.name}" + (f", Docker at {site.docker}" if site.docker else "")


def _wave_head(number: int, wave: tuple[Service, ...]) -> str:
    if all(one.kind is ServiceKind.MONITORING for one in wave):
        return "only watch, so they come last"
    return "need nothing" if number == 1 else "start after those above"


def _state(seen: Condition | None, now: datetime) -> str:
    if seen is None or seen.old(now):
        return _UNKNOWN
    return {True: _WELL, False: _ILL, None: _UNKNOWN}[seen.serves]


def _lines(service: Service, seen: Condition | None, now: datetime) -> tuple[str, ...]:
    """What stands below a service's name."""
    return tuple(filter(None, (*_health(seen, now), *_facts(service))))


def _health(seen: Condition | None, now: datetime) -> Iterator[str]:
    if seen is None:
        yield "nobody has looked at it"
        return
    container = f" (container {seen.health.container})" if seen.health.container else ""
    since = f", seen {spell(seen.seen_at.replace(second=0, microsecond=0))}" if seen.old(now) else ""
    yield f"{seen.word()}{container}{since}"
    if not seen.health.well:
        yield seen.health.detail
    if seen.memory and (seen.memory.refuses or seen.memory.silent):
        yield seen.memory.says()


def _facts(service: Service) -> Iterator[str]:
    if service.folders:
        yield f"data in {', '.join(service.folders)}"
    if service.optional:
        yield "optional"


def _site(one: SiteSeen, now: datetime, top: int) -> tuple[list[str], int]:
    lanes = _lanes(one.site)
    left = _EDGE + (max(lanes.values(), default=-1) + 1) * _LANE + (_LANE if lanes else 0)
    top += _EDGE + 20
    parts = [_text(_EDGE, top, f"Site {one.site.name}", 20, WIDTH - 2 * _EDGE, bold=True)]
    if one.site.docker:
        top += _TEXT + 8
        parts.append(_text(_EDGE, top, f"Docker at {one.site.docker}", _TEXT, WIDTH - 2 * _EDGE, soft=True))
    cards: dict[str, _Card] = {}
    for number, wave in enumerate(waves(one.site.services), 1):
        top += 30
        parts.append(_text(left, top, f"{number} · {_wave_head(number, wave)}", _TEXT, WIDTH - left - _EDGE, soft=True))
        top += _GAP
        for service in wave:
            seen = one.seen.get(service.name)
            room = WIDTH - left - _EDGE - 2 * _PAD
            lines = tuple(part for line in _lines(service, seen, now) for part in _wrapped(line, room))
            card = cards[service.name] = _Card(service, _state(seen, now), lines, top)
            parts += _card(card, left)
            top += card.height + _GAP
    for line in _wrapped(_beside(one), WIDTH - left - _EDGE):
        top += _TEXT + 6
        parts.append(_text(left, top, line, _TEXT, WIDTH - left - _EDGE, soft=True))
    return [*_needs(cards, lanes, left), *parts], top


def _card(card: _Card, left: int) -> Iterator[str]:
    width, x = WIDTH - left - _EDGE, left + _PAD
    yield f'<rect class="card" x="{left}" y="{card.top}" width="{width}" height="{card.height}" rx="8"/>'
    yield f'<circle class="{card.state}" cx="{x + 9}" cy="{card.middle}" r="10"/>'
    yield f'<path class="sign" transform="translate({x + 9} {card.middle})" d="{_MARKS[card.state]}"/>'
    room = width - 2 * _PAD
    yield _text(x + 28, card.middle + 6, card.service.name, _NAME, room - 28, bold=True)
    for number, line in enumerate(card.lines, 1):
        yield _text(x, card.middle + 4 + number * (_TEXT + 6) + 4, line, _TEXT, room, soft=True)


def _lanes(site: Site) -> dict[str, int]:
    """For each service that another needs a lane to the left: lines of two services that overlap never share one."""
    place = {service.name: at for at, service in enumerate(one for wave in waves(site.services) for one in wave)}
    ends = {name: max((place[s.name] for s in site.services if name in s.needs), default=-1) for name in place}
    lanes: dict[str, int] = {}
    free: list[int] = []
    for name in sorted(place, key=lambda name: place[name]):
        if ends[name] < 0:
            continue
        lane = next((number for number, until in enumerate(free) if until < place[name]), len(free))
        free[lane : lane + 1] = [ends[name]]
        lanes[name] = lane
    return lanes


def _needs(cards: Mapping[str, _Card], lanes: Mapping[str, int], left: int) -> Iterator[str]:
    """From each service that others need a line down, and from there an arrow to each of them."""
    for name, lane in lanes.items():
        # The first lane is the innermost, so that short lines cross few.
        x, own = left - _LANE - lane * _LANE, cards[name]
        users = [card.middle + _shift(lane) for card in cards.values() if name in card.service.needs]
        yield f'<path class="lane" d="M{left} {own.top + own.height - _PAD}H{x}V{max(users)}"/>'
        for at in users:
            yield f'<path class="lane" d="M{x} {at}H{left - 3}"/>'
            yield f'<path class="dot" d="M{left} {at}l-8-5v10z"/>'


def _shift(lane: int) -> int:
    """Arrows from two lanes come to one card below each other."""
    return 11 * (lane % 3) - 4


def _text(x: int, y: int, said: str, size: int, room: int, *, bold: bool = False, soft: bool = False) -> str:
    kind = ' class="soft"' if soft else ""
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" font-size="{size}"{weight}{kind}>{escape(_cut(said, size, room, bold))}</text>'


def _wrapped(said: str, room: int) -> list[str]:
    """A text in lines, as many as a card may have of one; the text beside the picture has all of it."""
    lines = wrap(said, max(8, int(room / (_TEXT * _NARROW))), break_long_words=True)
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1]} …"]


def _cut(said: str, size: int, room: int, bold: bool) -> str:
    """As much as fits: letters of this font are about so wide."""
    most = int(room / (size * (_WIDE if bold else _NARROW)))
    return said if len(said) <= most else said[: max(1, most - 1)].rstrip() + "…"
