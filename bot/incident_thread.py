"""What an incident's thread looks like: a function of its journal and nothing else.

A storm adds nothing to it but a number in the header: a line stands for what changed for the incident as a
whole. What Mayday's own errands did to PagerDuty comes back from there, and adds no second line.
"""

from __future__ import annotations

from actions.engine.journal import Entry, Kind
from actions.incidents import incident as incidents
from actions.incidents.alert import State
from actions.incidents.incident import Incident
from actions.incidents.passing import passed_by_itself
from bot.incident_places import header_key
from bot.thread import Item
from bot.views import incident as header
from bot.views.incident_words import Scene
from bot.views.mrkdwn import Block, actions, button, cut, escape, person, section


class Telling:
    """The lines of an incident's thread, as its journal grows; each entry is folded once."""

    def __init__(self) -> None:
        self.incident: Incident | None = None
        self.lines: list[Item] = []
        self.files: dict[int, list[Item]] = {}  # The files of each version of its document.
        self.over = 0  # The entry with which it was over, the last time that it was.

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
                made = (section(said), *actions(_offers(entry)))
                self.lines.append(Item(f"{entry.run}:{entry.n}", entry.n, said, made))
        assert self.incident is not None, "a journal has a first entry"
        return self.incident


def story(scene: Scene, telling: Telling) -> list[Item]:
    """All messages of an incident's thread, the header first; its runs and errands draw themselves."""
    made, key = tuple(header.blocks(scene)), header_key(scene.incident.id)
    first = Item(key, 1, header.text(scene), made, header=True, signature=header.signature(scene))
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
            by = f" by {escape(data['by'])}" if data.get("by") else ""
            return f"Note in PagerDuty{by}: {escape(data['text'])}"
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
    if now.state is not before.state:
        return "" if before.pursued(now.state, entry.at) else _state_line(now)
    moved = now.lead is not None and before.lead is not None and now.lead.paged.assignees != before.lead.paged.assignees
    if moved and now.open and now.lead is not None and now.lead.paged.assignees:
        return f"Now with {escape(', '.join(now.lead.paged.assignees))}, says PagerDuty."
    return ""


def _state_line(now: Incident) -> str:
    newest = max(now.alerts.values(), key=lambda alert: alert.newness)
    by = f" by {escape(newest.by)}" if newest.by else ""
    match now.state:
        case State.TRIGGERED:
            return f"Open again in PagerDuty{by}."
        case State.ACKNOWLEDGED:
            return f"Acknowledged in PagerDuty{by}."
        case State.MERGED:
            return f"Merged in PagerDuty{by}."
        case _:
            return f"Resolved in PagerDuty{by}."
