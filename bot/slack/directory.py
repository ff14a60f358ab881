"""What Slack says of users and user groups, and what it last said: kept for when it does not answer.

Only doubt lets the last word count: Slack away, broken or limiting. That Slack knows nobody of that id is an answer.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from sqlalchemy.exc import SQLAlchemyError

from actions.settings.people import PeopleSettings
from actions.store.store import Store
from bot.slack.client import FAILURES, Why, trouble
from bot.slack.identity import known

_log = logging.getLogger(__name__)
_NOTE = "people"
_NOBODY = (
    "user_not_found",
    "users_not_found",
    "user_not_visible",
    "no_such_subteam",
    "subteam_not_found",
    "team_not_found",
)
OTHER_WORKSPACE = "somebody of another workspace"


@dataclass(frozen=True)
class Lookup:
    """What is known of a user or a group, None for nothing. `doubt` says that Slack itself could not say."""

    value: Any
    doubt: bool = False


class Directory:
    """Looks users and groups up in Slack, and keeps what it saw."""

    def __init__(self, settings: PeopleSettings, client: WebClient, store: Store) -> None:
        self._settings = settings
        self._client = client
        self._store = store
        self._recent: dict[str, tuple[datetime, Any]] = {}

    def recent(self, key: str) -> Lookup:
        """What was read lately; else what Slack says now; in doubt what it last said, up to the greatest age."""
        now = self._store.clock()
        oldest = now - timedelta(seconds=self._settings.cache_seconds)
        at, value = self._recent.get(key, (oldest, None))
        # What bears a later moment is of before the clock was set back; nobody knows how old it is.
        if oldest < at <= now:
            return Lookup(value)
        # A bot that was just started anew knows what it noted a moment before.
        noted, kept_at = self._store.kept(_NOTE, since=oldest).get(key, (None, oldest))
        if oldest < kept_at <= now:
            return Lookup(noted)
        found = self.now(key)
        if not found.doubt:
            return found
        aged = self._store.notes(_NOTE, since=now - timedelta(hours=self._settings.cache_hours))
        return Lookup(aged.get(key), doubt=True)

    def kept(self, key: str) -> Any:
        """What Slack once said, however long ago: good for names, and for what takes rights away."""
        return self._store.note(_NOTE, key)

    def names(self) -> dict[str, str]:
        """The names of all users whom Slack has ever told us of, by id."""
        return {id: str(who["name"]) for id, who in self._store.notes(_NOTE).items() if isinstance(who, dict)}

    def now(self, key: str) -> Lookup:
        """What Slack says now about a user or a group."""
        user = key[:1] in ("U", "W")
        try:
            found = self._user(key) if user else self._group(key)
        except FAILURES as error:
            why = trouble(error)
            _log.warning("Slack did not say who %s is: %s", key, why.code)
            if why.why in (Why.DOUBT, Why.LIMITED):
                return Lookup(None, doubt=True)
            if why.code not in _NOBODY:
                return Lookup(None)
            name = (self.kept(key) or {}).get("name", key) if user else ""
            found = {"name": name, "tz": None, "stranger": "nobody whom Slack knows any more"} if user else []
        self._recent[key] = (self._store.clock(), found)
        try:
            self._store.keep(_NOTE, key, found)
        except SQLAlchemyError as error:
            # Slack has answered; that it cannot be kept for a day without Slack keeps nobody out now.
            _log.warning("what Slack said of %s could not be kept: %s", key, type(error).__name__)
        return Lookup(found)

    def _group(self, group: str) -> list[str]:
        return [str(user) for user in self._client.usergroups_users_list(usergroup=group)["users"]]

    def _user(self, user: str) -> dict[str, Any]:
        said: dict[str, Any] = self._client.users_info(user=user)["user"]
        profile = said.get("profile") or {}
        name = said.get("real_name") or profile.get("real_name") or said.get("name") or user
        home = known(self._store).team
        member = _is_member(said, home)
        return {"name": name, "tz": said.get("tz"), "stranger": _stranger(said, home, member), "member": member}


def _is_member(said: dict[str, Any], home: str) -> bool:
    """Whether an organisation of Enterprise Grid has them in the own workspace, whichever they first joined."""
    teams = (said.get("enterprise_user") or {}).get("teams") or ()
    return bool(home) and home in teams


def _stranger(said: dict[str, Any], home: str, member: bool) -> str:
    """Why somebody can have no rights, whatever the settings say."""
    reasons = {
        "a deactivated account": said.get("deleted"),
        "a bot": said.get("is_bot"),
        "a guest": said.get("is_restricted") or said.get("is_ultra_restricted") or said.get("is_stranger"),
        OTHER_WORKSPACE: home and said.get("team_id") and said["team_id"] != home and not member,
    }
    return next((why for why, true in reasons.items() if true), "")
