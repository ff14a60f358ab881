"""Who may do what: in Slack, and in a terminal on the host."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, field_validator

from actions.settings.checked import Checked, ZoneName
from actions.settings.slack_values import GroupIds, UserIds


class PeopleSettings(Checked):
    """Who may ask for a recovery, who may approve one: Slack user ids and user group ids.

    Nobody is in by being in the channel. An empty list lets nobody in. What Slack said is good for asking for
    `cache_seconds`, and while Slack does not answer for `cache_hours`.
    """

    operators: UserIds = ()
    operator_groups: GroupIds = ()
    approvers: UserIds = ()
    approver_groups: GroupIds = ()
    cache_seconds: int = 300
    cache_hours: float = Field(default=72, ge=0)


class Operator(Checked):
    """Somebody who may use the terminal on the host.

    `os_users` are their login names or numeric user ids. With `slack`, the id of their Slack user, they are the same
    person here and there: who asked in Slack does not approve in the terminal. `zone` is where they are, as their
    Slack profile tells of people there: times they type are read in it beside the operations zone.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_.-]{0,30}$")
    name: str
    os_users: tuple[str, ...]
    slack: str = ""
    may_ask: bool = True
    may_approve: bool = False
    zone: ZoneName | None = None

    @property
    def person(self) -> str:
        """The id under which the journals know this person."""
        return self.slack or f"operator:{self.id}"


class OperatorSettings(Checked):
    """Who may do what in a terminal, and where the secrets of their one-time codes lie.

    `glass_minutes` is how long a question must have waited for a second person before whoever asked may go alone;
    0 never lets them.
    """

    people: tuple[Operator, ...] = ()
    keys: str = "mayday-keys"
    lock_minutes: float = Field(default=5, gt=0)
    glass_minutes: float = Field(default=0, ge=0)

    @property
    def lock(self) -> timedelta:
        """How long no code is taken after too many wrong ones."""
        return timedelta(minutes=self.lock_minutes)

    @property
    def glass(self) -> timedelta | None:
        """How long others must have had to answer; None where nobody may go alone."""
        return timedelta(minutes=self.glass_minutes) if self.glass_minutes else None

    @field_validator("people")
    @classmethod
    def _each_once(cls, people: tuple[Operator, ...]) -> tuple[Operator, ...]:
        given = {
            "id": [o.id for o in people],
            "slack": [o.slack for o in people if o.slack],
            "os_users": [user for o in people for user in dict.fromkeys(o.os_users)],
        }
        for name, values in given.items():
            if twice := [value for value in values if values.count(value) > 1]:
                raise ValueError(f"two operators have the same {name}: {twice[0]}")
        return people
