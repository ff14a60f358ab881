"""Who may ask and who may approve: ids and user groups from the settings, as Slack knows them now.

For asking, what was read a few minutes ago will do, and what was last read, up to a greatest age, while Slack is away.
For approving Slack is asked at every click; where it does not answer, only people named in the settings
by their own id may approve. Whatever is not known lets nobody in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient

from actions.engine.errors import Refused
from actions.engine.rights import Speaker
from actions.settings.people import PeopleSettings
from actions.store.store import Store
from bot.slack.directory import OTHER_WORKSPACE, Directory, Lookup
from bot.slack.identity import known

_Look = Callable[[str], Lookup]


@dataclass(frozen=True)
class Person:
    """A speaker and the time zone of their profile. `stranger` says why somebody can have no rights at all."""

    speaker: Speaker
    zone: str | None = None
    stranger: str = ""


class SlackPeople:
    """The rights of people, by the settings' lists and what Slack says of them."""

    def __init__(self, settings: PeopleSettings, client: WebClient, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._directory = Directory(settings, client, store)

    def asking(self, user: str, team: str, name: str = "") -> Person:
        """Somebody who types: what was read within the settings' `cache_seconds` is good enough.

        Slack is not asked about somebody who is in no list, so that saying no takes no time.
        """
        settings, recent = self._settings, self._directory.recent
        groups = (*settings.operator_groups, *settings.approver_groups)
        listed, doubt = self._is_in(user, (*settings.operators, *settings.approvers), groups, recent)
        if not listed:
            who = self._directory.kept(user) or {}
            speaker = Speaker(user, str(who.get("name") or name or user), False, False, unsure=doubt)
            return Person(speaker, who.get("tz"), str(who.get("stranger") or ""))
        return self._person(user, team, recent, recent)

    def approving(self, user: str, team: str) -> Person:
        """Somebody who presses a button: Slack is asked now."""
        return self._person(user, team, self._directory.recent, self._directory.now)

    def admit(self, user: str, team: str) -> None:
        """Let members of the own workspace in, to whatever is only read.

        Raises:
            Refused: a guest, a bot, somebody of another workspace; or nothing is known of them and Slack is away.
        """
        found = self._directory.recent(user)
        who = found.value or self._directory.kept(user) or {}
        if stranger := self._stranger(who, team, found.value):
            raise Refused(
                "Mayday answers members of this workspace alone.",
                code="MD-SL-002",
                detail=f"This is {stranger}.",
                hint="Ask the person on call.",
            )
        if not who:
            raise _not_said(user)

    def name_of(self, user: str) -> str:
        """The name of a Slack user as Slack knows it now or once said; empty where it knows nobody of that id."""
        return str((self._directory.recent(user).value or {}).get("name") or "")

    def names(self) -> dict[str, str]:
        """The names of all users whom Slack has ever told us of, by id."""
        return self._directory.names()

    def members(self, group: str) -> list[str]:
        """The ids of a group's members as they were last known; Slack is not asked."""
        return [str(user) for user in self._directory.kept(group) or ()]

    def approvers(self) -> tuple[list[str], bool]:
        """The ids of those who may approve, as read lately; and whether Slack could not say of all groups."""
        found = [self._directory.recent(group) for group in self._settings.approver_groups]
        members = [str(user) for one in found for user in one.value or ()]
        return list(dict.fromkeys((*self._settings.approvers, *members))), any(one.doubt for one in found)

    def warm(self) -> None:
        """Read groups and their people ahead, so that a command does not wait for it."""
        settings = self._settings
        users = {*settings.operators, *settings.approvers}
        for group in {*settings.operator_groups, *settings.approver_groups}:
            users |= set(self._directory.now(group).value or ())
        for user in users:
            self._directory.now(user)

    def _person(self, user: str, team: str, ask: _Look, approve: _Look) -> Person:
        now, settings = approve(user), self._settings
        who = now.value or self._directory.kept(user) or {}
        stranger = self._stranger(who, team, now.value)
        may_approve, unsure = self._is_in(user, settings.approvers, settings.approver_groups, approve)
        may_ask, doubt = self._is_in(user, settings.operators, settings.operator_groups, ask)
        if now.value is None and user not in settings.approvers:
            may_approve = False
        if now.value is None and not now.doubt and user not in settings.operators:
            may_ask = False
        name = str(who.get("name") or user)
        speaker = Speaker(
            user,
            name,
            may_ask and not stranger,
            may_approve and not stranger,
            unsure=(unsure or doubt or now.doubt) and not stranger,
        )
        return Person(speaker, who.get("tz"), stranger)

    def _is_in(self, user: str, users: tuple[str, ...], groups: tuple[str, ...], look: _Look) -> tuple[bool, bool]:
        """Whether somebody is listed; and whether Slack could not say of all groups who is in them."""
        if user in users:
            return True, False
        found = [look(group) for group in groups]
        return any(user in (one.value or ()) for one in found), any(one.doubt for one in found)

    def _stranger(self, who: dict[str, Any], team: str, said: dict[str, Any] | None) -> str:
        """Why somebody has no rights. That they belong here all the same is believed where Slack `said` so lately."""
        home = known(self._store).team
        if team and home and team != home and not (said or {}).get("member"):
            return OTHER_WORKSPACE
        return str(who.get("stranger") or "")


def _not_said(user: str) -> Refused:
    return Refused(
        "Slack could not say who you are.",
        code="MD-SL-003",
        detail=f"It does not answer for {user} now.",
        hint="Try again in a minute, or use the terminal on the bot's host: mayday status.",
    )
