"""The home tab: what is open, how every service is, what it could be recovered from, who is on call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from actions.clock.times import span_rounded_up, span_words
from actions.engine.errors import Refused
from actions.stack.objectives import Objective
from actions.tools.outside import OnCall
from actions.watch.cluster_words import ClusterWords
from actions.watch.run_records import Record
from actions.watch.service_condition import Condition, Reachable
from bot.views import home_clusters
from bot.views.mrkdwn import Block, actions, button, cut, escape, foreign, moment, mrkdwn, section, small, title

MOST_BLOCKS = 100
RECOVER = "home:recover"
BEGIN = "home:begin"
"""The action of a button that begins a procedure; what follows the colon after it tells buttons apart."""

_LINES = 8
_MARKS = {True: "✓", False: "✗", None: "?"}
_FRESH = timedelta(minutes=2)
_DIVIDER: Block = {"type": "divider"}


@dataclass(frozen=True)
class OpenItem:
    """Something open, in one line: its id, where it stands in Slack, what it is, since when, more words."""

    id: str
    link: str
    what: str
    since: datetime
    more: str = ""


@dataclass(frozen=True)
class SiteHome:
    """What is shown of one site. `on_call` is None where nobody knows; `promised` is by service.

    `picture` is the block that shows its stack.
    """

    name: str = ""
    services: tuple[Condition, ...] = ()
    on_call: tuple[OnCall, ...] | None = None
    promised: Mapping[str, Objective] = field(default_factory=dict)
    worker: bool = True
    picture: Block | None = None


@dataclass(frozen=True)
class HomeData:
    """All that the home tab shows. Of several sites each is named.

    `offers` are the procedures that one press begins: label, command, what to ask before (or nothing).
    """

    runs: tuple[OpenItem, ...]
    sites: tuple[SiteHome, ...]
    now: datetime
    incidents: tuple[OpenItem, ...] = ()
    offers: tuple[tuple[str, str, str], ...] = ()
    more_runs: int = 0
    clusters: tuple[ClusterWords, ...] = ()

    @property
    def several(self) -> bool:
        """Whether sites have to be told apart."""
        return len(self.sites) > 1


def closed(refusal: Refused) -> Block:
    """What somebody sees who may see nothing."""
    return {"type": "home", "blocks": [title("Mayday"), section(escape(refusal.words(" ")))]}


def view(home_data: HomeData) -> Block:
    """The view that is published; the same for everybody."""
    made = [title("Mayday"), *_buttons(home_data), *_away(home_data), *_open(home_data)]
    for site in home_data.sites:
        made += [_DIVIDER, *_site(site, home_data)]
    if home_data.clusters:
        made += [_DIVIDER, *home_clusters.blocks(home_data.clusters)]
    made += [_DIVIDER, section(f"*On call*\n{_on_call(home_data)}")]
    return {"type": "home", "blocks": _fitting(made)}


def _fitting(made: list[Block]) -> list[Block]:
    """What Slack takes of it; who reads it is told that there is more."""
    if len(made) <= MOST_BLOCKS:
        return made
    return [*made[: MOST_BLOCKS - 1], small("There is more than fits here: `/recover stack` shows every service.")]


def _site(site: SiteHome, home_data: HomeData) -> list[Block]:
    made = [section(f"*Site {escape(site.name)}*")] if home_data.several else []
    for condition in site.services:
        if condition.reachable is not None:
            made += _database(condition, site, home_data.now)
    plain = [_line(c, site, home_data.now) for c in site.services if c.reachable is None]
    made += [site.picture] if site.picture else []
    return made + _paragraphs("*Services*" if plain else "*Services*\nNo worker has looked at them yet.", plain)


def _buttons(home_data: HomeData) -> list[Block]:
    row = [button("Recover…", RECOVER, "recover", "danger")]
    row += [
        button(label, f"{BEGIN}:{i}", command, confirm=sure)
        for i, (label, command, sure) in enumerate(home_data.offers)
    ]
    return actions(row)


def _away(home_data: HomeData) -> list[Block]:
    without = [site.name for site in home_data.sites if not site.worker]
    if not without:
        return []
    where = f" on {escape(', '.join(without))}" if home_data.several else ""
    return [section(f"No worker is alive{where}, so runs wait. Start one on the host that has Docker: `mayday worker`")]


def _open(home_data: HomeData) -> list[Block]:
    made = _paragraphs("*Open incidents*", [_standing(one) for one in home_data.incidents] or ["None."])
    more = [f"and {home_data.more_runs:,} more: `/recover status`"] if home_data.more_runs else []
    return made + _paragraphs("*Open runs*", [*(_standing(one) for one in home_data.runs), *more] or ["None."])


def _standing(one: OpenItem) -> str:
    name = f"<{one.link}|{escape(one.id)}>" if one.link else f"`{escape(one.id)}`"
    more = f" · {one.more}" if one.more else ""
    return cut(f"{name} {foreign(one.what)} · since {moment(one.since)}{more}", 300)


def _paragraphs(head: str, lines: Sequence[str]) -> list[Block]:
    """Lines in as few sections as fit Slack's limits."""
    groups = [list(lines[i : i + _LINES]) for i in range(0, len(lines), _LINES)] or [[]]
    return [section("\n".join([*([head] if i == 0 else []), *group])) for i, group in enumerate(groups)]


def _line(condition: Condition, site: SiteHome, now: datetime) -> str:
    objective = site.promised.get(condition.service)
    promised = f" · RTO {_span(objective.rto)}, RPO {_span(objective.rpo)}" if objective else ""
    actual = _actual(condition.record)
    return f"{_health(condition, now)}{promised}" + (f" · last {actual}" if actual else "")


def _health(condition: Condition, now: datetime) -> str:
    name, health = escape(condition.service), condition.health
    if condition.old(now):
        return f"? *{name}* not seen since {moment(condition.seen_at)}"
    detail = f" ({escape(health.detail)})" if health.detail else ""
    memory = condition.memory.says() if condition.memory else ""
    said = f" · {escape(memory)}" if memory else ""
    # Of a fresh check nothing is said: the view would change with each of them, for everybody who has it open.
    stale = condition.serves and now - condition.checked_at >= _FRESH
    age = f" · checked {_moment_ago(condition.checked_at)}" if stale else ""
    return f"{_MARKS[condition.serves]} *{name}* {escape(condition.word())}{detail}{said}{age}"


def _database(condition: Condition, site: SiteHome, now: datetime) -> list[Block]:
    """A database in full: two columns of what people look for first."""
    found, record = condition.reachable, condition.record
    assert found is not None
    objective = site.promised.get(condition.service)
    promised = f"{_span(objective.rto)} · {_span(objective.rpo)}" if objective else "none is set"
    told = (
        ("RTO · RPO promised", promised),
        ("Last recovery", _actual(record) or "none yet"),
        ("Newest base backup", _ago(found.base_at, "none can be used")),
        ("Newest dump", _ago(found.dump_at, "none")),
        ("Newest archived WAL", _archived(found)),
        ("Window", _window(found)),
        ("Last restore proven", _proven(record, restored=True)),
        ("Last verify", _proven(record, restored=False)),
    )
    fields = [mrkdwn(f"*{label}*\n{text}", 2000) for label, text in told]
    made = [section(_health(condition, now)), {"type": "section", "fields": fields}]
    problem = [f"Could not be looked at: {escape(condition.problem)}"] if condition.problem else []
    return [*made, small("\n".join([*problem, f"Backups and archive seen {_moment_ago(found.seen_at)}."]))]


def _archived(found: Reachable) -> str:
    behind = f"\n{found.waiting >> 20 or 1} MB wait for the archive" if found.waiting_since else ""
    return _ago(found.archived_at, "none") + behind


def _window(found: Reachable) -> str:
    if found.earliest is None or found.latest is None:
        return "nothing can be recovered"
    gaps = f"\n{found.gaps} gaps in the WAL" if found.gaps else ""
    return f"{moment(found.earliest)} to {moment(found.latest)}{gaps}"


def _actual(record: Record) -> str:
    actual = record.actual
    if actual is None:
        return ""
    figure = span_rounded_up(timedelta(seconds=actual.rpo_seconds)) if actual.rpo_seconds is not None else "not counted"
    lost = f"{actual.rpo_bound} {figure}".strip()
    took = span_words(timedelta(seconds=actual.rto_seconds))
    return f"{took} · {lost} given up ({escape(actual.run)}, {moment(actual.at)})"


def _proven(record: Record, *, restored: bool) -> str:
    proven = record.restored if restored else record.verified
    if proven is None:
        return "none yet"
    said = "Healthy" if proven.healthy else "Needs attention"
    return f"{said}, {_moment_ago(proven.at)} ({escape(proven.run)})"


def _on_call(home_data: HomeData) -> str:
    """Who is called first, once where it is the same everywhere."""
    by_site = {site.name: _called(site.on_call) for site in home_data.sites}
    if len(set(by_site.values())) <= 1:
        return next(iter(by_site.values()), _called(None))
    return "\n".join(f"{escape(name)}:\n{called}" for name, called in by_site.items())


def _called(people: Sequence[OnCall] | None) -> str:
    if people is None:
        return "not known"
    # Somebody who stands in several escalation policies at one level is one person to call.
    once = {(person.level, person.name): person for person in people}
    lines = [
        f"{level}. {foreign(name)}" + (f" until {moment(person.until)}" if person.until else "")
        for (level, name), person in list(once.items())[:_LINES]
    ]
    lines += [f"and {len(once) - _LINES:,} more"] if len(once) > _LINES else []
    return "\n".join(lines) or "nobody"


def _span(span: timedelta) -> str:
    return span_words(span) if span else "0"


def _ago(at: datetime | None, none: str) -> str:
    return _moment_ago(at) if at is not None else none


def _moment_ago(at: datetime) -> str:
    """A moment and how long ago that is; Slack counts on by itself, so that the view need not change for it."""
    stamp = int(at.timestamp())
    return f"<!date^{stamp}^{{ago}}|{at:%Y-%m-%d %H:%M} UTC>"
