"""An office with an incident: PagerDuty's events come in, the thread stands in a channel that has bad days."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from actions.engine.journal import Kind
from actions.incidents import incident_actions
from actions.incidents.alert_grouping import Rules
from actions.incidents.incident import Incident
from actions.incidents.kept_events import keep_event
from actions.incidents.take_in_events import take_in
from actions.store import notes
from bot.context import BotContext
from bot.dispatch import Reply, hear
from bot.incidents.incident_commands import press
from bot.runs.requests import Origin
from bot.slack.thread_writer import ThreadWriter
from tests.support.bot_world import CHANNEL, Office, office_in
from tests.support.slack_world import Channel, ChannelClient, Killed
from tests.support.worlds.pages import DEPENDS, SERVICES, body, event

RULES = Rules(SERVICES, DEPENDS)


class Emergency:
    """An office whose bot hears PagerDuty and speaks into a channel; the bot can be started anew."""

    def __init__(self) -> None:
        self.office: Office = office_in()
        self.channel = Channel(self.office.clock)
        self.bot: BotContext = replace(self.office.bot, client=ChannelClient(self.channel))
        self.store = self.office.store
        notes.worker_lives(self.store, "w", {"sites": ["main"]})
        self.sink = ThreadWriter(self.bot)

    def pages(self, *events: dict[str, Any], ticks: int = 60) -> None:
        for said in events or (event(),):
            keep_event(self.store, body(said))
        take_in(self.store, RULES)
        self.draw(ticks)

    def draw(self, ticks: int = 60) -> None:
        """As many seconds, and a look after them; the seconds in which nothing is left to do are not looked at."""
        for n in range(ticks):
            self.office.clock.on(1)
            if self._looks():
                self.office.clock.on(ticks - n - 1)
                self._looks()
                return

    def _looks(self) -> bool:
        notes.worker_lives(self.store, "w", {"sites": ["main"]})
        try:
            return self.sink.tick()
        except Killed:
            self.sink = ThreadWriter(self.bot)
            return False

    @property
    def incident(self) -> Incident:
        (name,) = self.store.incidents()
        return incident_actions.known(self.store, name)

    @property
    def root(self) -> dict[str, Any]:
        return next(m for m in self.channel.messages if m["key"] == f"{self.incident.id}:1")

    def say(self, text: str, user: str = "U0ONCALL", key: str = "t1", *, here: bool = True) -> Reply:
        thread = self.root["ts"] if here else ""
        reply = hear(self.bot, text, Origin(key, user, "T1", CHANNEL, thread), "incident")
        self.draw()
        return reply

    def press(self, how: str, user: str = "U0ONCALL", key: str = "c1") -> str:
        done = press(self.bot, how, self.incident, self.bot.people.asking(user, "T1"), key)
        self.draw()
        return done.errands[0] if done.errands else ""

    def lines(self) -> list[str]:
        """What stands in the thread below its header, but for its document."""
        told = [m["text"] for m in self.channel.messages if m.get("thread_ts") == self.root["ts"] and "files" not in m]
        return [text for text in told if not text.startswith("The document of this incident")]

    def buttons(self) -> list[str]:
        rows = [b["elements"] for b in self.root["blocks"] if b["type"] == "actions"]
        return [b["text"]["text"] for row in rows for b in row]

    def errand(self, run: str, outcome: str = "done", **more: Any) -> None:
        lease = self.store.acquire(run, "w")
        assert lease is not None
        self.store.append(lease, Kind.DONE, 2, {"title": "see how it stands", "gives": "after", "fact": {}, **more})
        self.store.append(lease, Kind.FINISHED, None, {"outcome": outcome, "seconds": 0.4, "report": []})
        self.draw()
