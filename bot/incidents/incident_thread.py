"""What an incident's thread looks like: a function of its journal and nothing else.

A storm adds nothing to it but a number in the header: a line stands for what changed for the incident as a
whole. What Mayday's own errands did to PagerDuty comes back from there, and adds no second line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from actions.engine.journal import Entry, Kind
from actions.incidents import incident as incidents
from actions.incidents.alert import Alert, AlertState
from actions.incidents.incident import Incident
from actions.incidents.pagerduty_events import SEEN
from actions.incidents.self_resolved import passed_by_itself
from actions.tools.outside import Paged
from bot.incidents.thread_places import header_key
from bot.slack.thread_item import ThreadItem
from bot.views import incident_header as header
from bot.views.incident_words import STATES, Scene
from bot.views.mrkdwn import Block, actions, button, cut, escape, foreign, person, section

MOVED = AlertState.MOVED


class ThreadStory:
    """The lines of an incident's thread, as its journal grows; each entry is folded once."""

    def __init__(self) -> None:
        self.incident: Incident | None = None
        self.lines: list[ThreadItem] = []
        self.files: dict[int, list[ThreadItem]] = {}  # The files of each version of its document.
        self.over = 0  # The entry with which it was over, the last time that it was.
        self._offering: int | None = None  # The line whose offer of an update is the newest.

    def hear(self, entries: list[Entry]) -> Incident:
        """Go on with what a journal, read from its beginning, tells more; returns the incident as it stands."""
        for entry in entries[self.incident.last if self.incident else 0 :]:
            before = self.incident
            self.incident = incidents.after(before, entry) if before else incidents.fold([entry])
            said = _said(entry, before, self.incident) if before else ""
            if not self.incident.open and (before is None or before.open):
                self.over = entry.n
                said += _without(self.incident) if said and passed_by_itself(entries[: entry.n]) else ""
            if said := cut(said):
                row = actions(_offers(entry))
                if row:
                    self._offers_no_longer()
                    self._offering = len(self.lines)
                self.lines.append(ThreadItem(f"{entry.run}:{entry.n}", entry.n, said, (section(said), *row)))
        assert self.incident is not None, "a journal has a first entry"
        return self.incident

    def _offers_no_longer(self) -> None:
        """A newer draft takes the place of the one before, whose button would open the newer one anyway."""
        if self._offering is not None:
            before = self.lines[self._offering]
            self.lines[self._offering] = replace(before, blocks=before.blocks[:1])


def story(scene: Scene, telling: ThreadStory) -> list[ThreadItem]:
    """All messages of an incident's thread, the header first; its runs and errands draw themselves."""
    made, key = tuple(header.blocks(scene)), header_key(scene.incident.id)
    first = ThreadItem(key, 1, header.text(scene), made, header=True, signature=header.signature(scene))
    files = [item for version in telling.files.values() for item in version]
    return [first, *sorted([*telling.lines, *files], key=lambda item: item.n)]


def _said(entry: Entry, before: Incident, now: Incident) -> str:
    data = entry.data
    who = person(str(data.get("by") or ""), data.get("name")) if data.get("by") else ""
    match entry.kind:
        case Kind.ALERTED:
            return _changed(entry, before, now)
        case Kind.GRADED:
            return f"{who} says: {escape(data['severity'])}."
        case Kind.ROLE:
            return f"{person(data['user'], data.get('user_name'))} is {escape(data['role'])}."
        case Kind.CLOSED:
            return f"{who} resolved the incident."
        case Kind.NOTED:
            if not data.get("note"):
                return escape(data["text"])
            by = f" by {foreign(data['by'])}" if data.get("by") else ""
            return f"Note in PagerDuty{by}: " + "\n".join(map(foreign, str(data["text"]).splitlines()))
        case Kind.DOCUMENTED:
            return _document(data["version"])
        case _:
            return ""


def _document(version: int) -> str:
    """The line above the files of a version."""
    if version == 1:
        return "The document of this incident, as Markdown and as HTML:"
    return f"The document of this incident, version {version}; it takes the place of version {version - 1}:"


def _without(incident: Incident) -> str:
    """Why no document follows."""
    return (
        "\nIt passed by itself within minutes and nobody did anything, so no document of it is put here. "
        f"`mayday incident export {incident.id}` writes one."
    )


def _offers(entry: Entry) -> list[Block]:
    """The button of a line that offers an update for the status page."""
    wanted = entry.kind is Kind.NOTED and entry.data.get("offers")
    return [button(header.STATUS, "incident:status", entry.run)] if wanted else []


def _changed(entry: Entry, before: Incident, now: Incident) -> str:
    """What PagerDuty's news mean for the incident as a whole; nothing where they are our own doing."""
    if not before.alerts:
        return "" if now.open else _state_line(now)
    if gone := [a for id, a in now.alerts.items() if a.elsewhere and not _was_elsewhere(before, id)]:
        left = f" What is left here: {STATES[now.state].lower()}." if now.state not in (before.state, MOVED) else ""
        return _gone_line(gone, now) + left
    if now.state is not before.state:
        return "" if before.pursued(now.state, entry.at) else _state_line(now)
    if before.lead is None or now.lead is None or not now.open:
        return ""
    return _handed_line(before.lead.paged, now.lead.paged)


def _was_elsewhere(before: Incident, id: str) -> bool:
    return id in before.alerts and before.alerts[id].elsewhere


def _gone_line(gone: Sequence[Alert], now: Incident) -> str:
    """Where alerts went that are none of ours any more."""
    newest = max(gone, key=lambda alert: alert.newness)
    to = foreign(newest.paged.service_name or newest.paged.service)
    # What was only seen tells who acknowledged it, not who moved it.
    by = f" by {foreign(newest.by)}" if newest.by and not newest.event.startswith(SEEN) else ""
    what = "" if now.state is MOVED else f" {len(gone)} of {len(now.alerts)} alerts:"
    said = f"Moved in PagerDuty{by}:{what} to {to}, which is none of the services here."
    return f"{said} Nobody is waited for here any more." if now.state is MOVED else said


def _handed_line(before: Paged, now: Paged) -> str:
    """Who has it now, or which service, where that is somebody or something else."""
    if before.id == now.id and before.service != now.service:
        return f"Now of {foreign(now.service_name or now.service)}, says PagerDuty."
    if before.assignees != now.assignees:
        return f"Now with {foreign(', '.join(now.assignees)) or 'nobody'}, says PagerDuty."
    return ""


def _state_line(now: Incident) -> str:
    newest = max(now.alerts.values(), key=lambda alert: alert.newness)
    by = f" by {foreign(newest.by)}" if newest.by else ""
    match now.state:
        case AlertState.TRIGGERED:
            return f"Open again in PagerDuty{by}."
        case AlertState.ACKNOWLEDGED:
            return f"Acknowledged in PagerDuty{by}."
        case AlertState.MOVED:
            return _gone_line(list(now.alerts.values()), now)
        case AlertState.MERGED:
            return f"Merged in PagerDuty{by}."
        case _:
            return f"Resolved in PagerDuty{by}."
