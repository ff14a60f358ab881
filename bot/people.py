"""Who may ask and who may approve: ids and user groups from the settings, as Slack knows them now.

For asking, what was read a few minutes ago will do, and what was last read at all while Slack is away.
For approving Slack is asked at every click; where it does not answer, only people named in the settings
by their own id may approve. Whatever is not known lets nobody in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient

from actions.engine.answers import Speaker
from actions.engine.store import Store
from actions.settings import People as PeopleSettings
from bot.identity import known
from bot.slack import FAILURES, trouble

_log = logging.getLogger(__name__)
_NOTE = "people"


@dataclass(frozen=True)
class Person:
    """A speaker and the time zone of their profile. `stranger` says why somebody can have no rights at all."""

    speaker: Speaker
    zone: str | None = None
    stranger: str = ""


class People:
    """Looks people and groups up in Slack, and keeps what it saw."""

    def __init__(self, settings: PeopleSettings, client: WebClient, store: Store) -> None:
        self._settings = settings
        self._client = client
        self._store = store
        self._lately: dict[str, tuple[datetime, Any]] = {}

    def asking(self, user: str, team: str, name: str = "") -> Person:
        """Somebody who types: what was read within the settings' `cache_seconds` is good enough.

        Slack is not asked about somebody who is in no list, so that saying no takes no time.
        """
        settings = self._settings
        groups = (*settings.operator_groups, *settings.approver_groups)
        if not self._is_in(user, (*settings.operators, *settings.approvers), groups, self._recent):
            who = self._kept(user) or {}
            return Person(Speaker(user, str(who.get("name") or name or user), False, False), who.get("tz"))
        return self._person(user, team, self._recent, self._recent)

    def approving(self, user: str, team: str) -> Person:
        """Somebody who presses a button: Slack is asked now."""
        return self._person(user, team, self._recent, self._now)

    def name_of(self, user: str) -> str:
        """The name of a Slack user as Slack knows it now or once said; empty where it knows nobody of that id."""
        return str((self._recent(user) or {}).get("name") or "")

    def names(self) -> dict[str, str]:
        """The names of all users whom Slack has ever told us of, by id."""
        return {id: str(who["name"]) for id, who in self._store.notes(_NOTE).items() if isinstance(who, dict)}

    def warm(self) -> None:
        """Read groups and their people ahead, so that a command does not wait for it."""
        settings = self._settings
        users = {*settings.operators, *settings.approvers}
        for group in {*settings.operator_groups, *settings.approver_groups}:
            users |= set(self._now(group) or ())
        for user in users:
            self._now(user)

    def _person(self, user: str, team: str, ask: Callable[[str], Any], approve: Callable[[str], Any]) -> Person:
        who = approve(user)
        fresh = who is not None
        who = who or self._kept(user)
        stranger = self._stranger(who, team)
        settings = self._settings
        may_approve = self._is_in(user, settings.approvers, settings.approver_groups, approve)
        may_ask = self._is_in(user, settings.operators, settings.operator_groups, ask)
        if not fresh and user not in settings.approvers:
            may_approve = False
        name = str((who or {}).get("name") or user)
        speaker = Speaker(user, name, may_ask and not stranger, may_approve and not stranger)
        return Person(speaker, (who or {}).get("tz"), stranger)

    def _is_in(self, user: str, users: tuple[str, ...], groups: tuple[str, ...], look: Callable[[str], Any]) -> bool:
        return user in users or any(user in (look(group) or ()) for group in groups)

    def _stranger(self, who: dict[str, Any] | None, team: str) -> str:
        home = known(self._store).team
        if team and home and team != home:
            return "somebody of another workspace"
        return str((who or {}).get("stranger") or "")

    def _recent(self, key: str) -> Any:
        """What was read lately; else what Slack says now; else what was last read."""
        oldest = self._store.clock() - timedelta(seconds=self._settings.cache_seconds)
        at, value = self._lately.get(key, (oldest, None))
        if at > oldest:
            return value
        # A bot that was just started anew knows what it noted a moment before.
        noted = self._store.notes(_NOTE, since=oldest)
        if key in noted:
            return noted[key]
        found = self._now(key)
        return self._kept(key) if found is None else found

    def _kept(self, key: str) -> Any:
        return self._store.note(_NOTE, key)

    def _now(self, key: str) -> Any:
        """What Slack says now about a user or a group; None where it does not answer."""
        try:
            found = self._user(key) if key[:1] in ("U", "W") else self._group(key)
        except FAILURES as error:
            _log.warning("Slack did not say who %s is: %s", key, trouble(error).code)
            return None
        self._store.keep(_NOTE, key, found)
        self._lately[key] = (self._store.clock(), found)
        return found

    def _group(self, group: str) -> list[str]:
        return [str(user) for user in self._client.usergroups_users_list(usergroup=group)["users"]]

    def _user(self, user: str) -> dict[str, Any]:
        said: dict[str, Any] = self._client.users_info(user=user)["user"]
        profile = said.get("profile") or {}
        name = said.get("real_name") or profile.get("real_name") or said.get("name") or user
        return {"name": name, "tz": said.get("tz"), "stranger": _stranger(said, known(self._store).team)}


def _stranger(said: dict[str, Any], home: str) -> str:
    """Why somebody can have no rights, whatever the settings say."""
    reasons = {
        "a deactivated account": said.get("deleted"),
        "a bot": said.get("is_bot"),
        "a guest": said.get("is_restricted") or said.get("is_ultra_restricted") or said.get("is_stranger"),
        "somebody of another workspace": home and said.get("team_id") and said["team_id"] != home,
    }
    return next((why for why, true in reasons.items() if true), "")
