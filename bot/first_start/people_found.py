"""People by the names that others call them, looked up in Slack; user groups too, where the workspace has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from slack_sdk import WebClient

from actions.engine.errors import Refused
from bot.first_start.slack_answers import patiently, refused
from bot.slack.client import FAILURES

_SHOWN = 6


@dataclass(frozen=True)
class Someone:
    """A person of the workspace who can have rights; `title` tells people of one name apart."""

    id: str
    handle: str
    name: str
    title: str = ""
    guest: bool = False

    def __str__(self) -> str:
        more = ", ".join(part for part in (f"@{self.handle}", self.id, self.title) if part)
        return f"{self.name} ({more})"


@dataclass(frozen=True)
class NamedPerson:
    """Whom a list of names means: people, and user groups by id with their handles."""

    people: tuple[Someone, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return "; ".join([*map(str, self.people), *(f"the group @{handle} ({id})" for id, handle in self.groups)])


@dataclass
class PeopleOfSlack:
    """The people and groups of a workspace; each list is asked for once, when the first name is looked up."""

    client: WebClient

    @cached_property
    def people(self) -> tuple[Someone, ...]:
        found: list[Someone] = []
        cursor = ""
        while True:
            said = self._page(cursor)
            found += [_someone(one) for one in said["members"] if _is_person(one)]
            cursor = str((said.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return tuple(found)

    @cached_property
    def groups(self) -> tuple[tuple[str, str], ...]:
        """Ids with handles; none where the plan has no user groups, or the bot may not see them."""
        try:
            said = patiently(self.client.usergroups_list)
        except FAILURES:
            return ()
        return tuple((str(one["id"]), str(one["handle"])) for one in said["usergroups"] if not one.get("date_delete"))

    def named(self, said: str) -> NamedPerson:
        """Whom names, @handles or ids with commas between them mean.

        Raises:
            Refused: one of them means nobody, or several people; every such name is told.
        """
        names = [name.strip() for name in said.split(",") if name.strip()]
        people: list[Someone] = []
        groups: list[tuple[str, str]] = []
        wrong: list[str] = []
        for name in names:
            if group := self._group(name):
                groups.append(group)
                continue
            try:
                people.append(self.one(name))
            except Refused as no:
                wrong.append(f"{no.message} {no.hint}")  # without its code
        if wrong:
            raise Refused(
                "Not everybody was found.",
                code="MD-CMD-043",
                detail="\n".join(wrong),
                hint="Give the whole list once more.",
            )
        return NamedPerson(tuple(dict.fromkeys(people)), tuple(dict.fromkeys(groups)))

    def one(self, name: str) -> Someone:
        """The one person of that name, @handle or id.

        Raises:
            Refused: there is nobody, or there are several; or it is a guest, who never has rights.
        """
        found = _meant(name, self.people)
        if len(found) > 1:
            listed = "; ".join(map(str, found[:_SHOWN])) + (f"; and {len(found) - _SHOWN} more" * (len(found) > _SHOWN))
            raise Refused(
                f"'{name[:80]}' can be {len(found)} people: {listed}.",
                code="MD-CMD-044",
                hint="Give the @handle or the id.",
            )
        if not found:
            near = get_close_matches(name, [one.name for one in self.people], 3, 0.6)
            do = (
                f"Did you mean {' or '.join(near)}?"
                if near
                else "Give the name as in Slack, the @handle or the id (U…)."
            )
            raise Refused(f"Slack knows nobody called '{name[:80]}'.", code="MD-CMD-045", hint=do)
        if found[0].guest:
            raise Refused(
                f"{found[0]} is a guest.", code="MD-CMD-046", hint="Guests never have rights here; name a member."
            )
        return found[0]

    def _group(self, name: str) -> tuple[str, str] | None:
        if not name.startswith("@") and not re.fullmatch(r"S[A-Z0-9]{5,}", name):
            return None
        if any(one.handle.casefold() == name[1:].casefold() for one in self.people):
            return None
        return next((group for group in self.groups if name in (group[0], f"@{group[1]}")), None)

    def _page(self, cursor: str) -> Any:
        try:
            return patiently(lambda: self.client.users_list(limit=1000, cursor=cursor))
        except FAILURES as error:
            raise refused("The list of people", error) from None


def _meant(said: str, people: Sequence[Someone]) -> list[Someone]:
    """Who it can be: by id, by handle, by the whole name, else by a part of the name."""
    name = " ".join(said.removeprefix("@").split()).casefold()
    exact = [one for one in people if one.id == said.strip() or one.handle.casefold() == name]
    whole = [one for one in people if one.name.casefold() == name]
    part = [one for one in people if name in one.name.casefold().split()]
    handle_only = said.strip().startswith("@")
    return exact or ([] if handle_only else whole or part)


def _someone(said: dict[str, Any]) -> Someone:
    profile = said.get("profile") or {}
    name = said.get("real_name") or profile.get("real_name") or said.get("name") or said["id"]
    handle = str(profile.get("display_name") or said.get("name") or "")
    guest = bool(said.get("is_restricted") or said.get("is_ultra_restricted") or said.get("is_stranger"))
    return Someone(str(said["id"]), handle, str(name), str(profile.get("title") or ""), guest)


def _is_person(said: dict[str, Any]) -> bool:
    return not (said.get("deleted") or said.get("is_bot") or said.get("id") == "USLACKBOT")
