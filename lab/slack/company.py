"""The practice company: its people, channels, groups and the credentials of its one app."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

BOT_TOKEN = "xoxb-practice"
APP_TOKEN = "xapp-practice"
SIGNING_SECRET = "practice-signing-secret"


@dataclass(frozen=True)
class User:
    """Somebody, or something, with an account in the workspace."""

    id: str
    name: str
    real_name: str
    tz: str = "UTC"
    title: str = ""
    is_restricted: bool = False
    is_bot: bool = False

    def as_slack(self, team: str) -> dict[str, Any]:
        now = datetime.now(ZoneInfo(self.tz))
        offset = now.utcoffset()
        profile = {"real_name": self.real_name, "display_name": self.name, "title": self.title}
        return {
            "id": self.id,
            "team_id": team,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": False,
            "tz": self.tz,
            "tz_label": now.tzname(),
            "tz_offset": int(offset.total_seconds()) if offset else 0,
            "profile": profile,
            "is_admin": False,
            "is_owner": False,
            "is_bot": self.is_bot,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": False,
            "is_app_user": False,
        }


@dataclass(frozen=True)
class Group:
    """A user group, mentioned as @handle."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass
class Channel:
    """A place to talk; only its members may."""

    id: str
    name: str
    members: list[str]
    topic: str = ""
    is_direct: bool = False


PEOPLE = (
    User("U0ONCALL", "oncall", "Olga Nowak", "Europe/Berlin", "On-call engineer"),
    User("U0APPROVER", "approver", "Ada Prewitt", "America/New_York", "Second approver"),
    User("U0DBA", "dba", "Dmitri Banerjee", "UTC", "Database administrator"),
    User("U0WATCHER", "watcher", "Wei Anand", "Asia/Kolkata", "Watches, has no rights"),
    User("U0GUEST", "guest", "Gus Evans", "UTC", "Guest", is_restricted=True),
)
MAYDAY = User("U0MAYDAY", "mayday", "Mayday", is_bot=True)
GROUPS = (
    Group("S0OPERATORS", "operators", "Operators", ("U0ONCALL", "U0APPROVER", "U0DBA")),
    Group("S0APPROVERS", "approvers", "Approvers", ("U0APPROVER", "U0DBA")),
)


def _channels() -> list[Channel]:
    people = [user.id for user in PEOPLE]
    public = [
        Channel("C0OPSEMERG", "ops-emergency", [*people, MAYDAY.id], "Emergencies only. One thread each."),
        Channel("C0GENERAL", "general", list(people), "Everything else."),
    ]
    direct = [Channel("D" + user.id[1:], user.name, [user.id, MAYDAY.id], is_direct=True) for user in PEOPLE]
    return public + direct


@dataclass
class Company:
    """One workspace with one app in it."""

    team_id: str = "T0MAYDAY"
    domain: str = "practice"
    name: str = "Practice Room"
    app_id: str = "A0MAYDAY"
    bot_id: str = "B0MAYDAY"
    bot: User = MAYDAY
    bot_token: str = BOT_TOKEN
    app_token: str = APP_TOKEN
    signing_secret: str = SIGNING_SECRET
    people: tuple[User, ...] = PEOPLE
    groups: tuple[Group, ...] = GROUPS
    channels: list[Channel] = field(default_factory=_channels)
    main_channel: str = "C0OPSEMERG"
    commands: tuple[str, ...] = ("/recover", "/backup", "/drill", "/incident")

    def user(self, name_or_id: str) -> User | None:
        wanted = name_or_id.strip().lstrip("@")
        everyone = (*self.people, self.bot)
        return next((u for u in everyone if wanted in (u.id, u.name)), None)

    def channel(self, name_or_id: str) -> Channel | None:
        """The channel of that id or #name; a person's id means the direct conversation with the app."""
        wanted = name_or_id.lstrip("#")
        if wanted.startswith("U"):
            wanted = "D" + wanted[1:]
        found = (c for c in self.channels if wanted == c.id or (wanted == c.name and not c.is_direct))
        return next(found, None)

    def group(self, group_id: str) -> Group | None:
        return next((g for g in self.groups if g.id == group_id), None)
