"""What would be changed on the primary, each with the old value, the new one and why; and what the standby needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from actions.engine.errors import Refused
from actions.engine.facts import volatile
from actions.postgres.following import PrimaryAddress
from actions.postgres.primary_state import PrimaryState
from actions.postgres.server import Server
from actions.steps.postgres.estimate import size
from actions.tools.folders import Folders
from actions.tools.registry import SiteTools

_MB = 1 << 20
_MOST_KEPT_MB = 8 * 1024
_LEAST_KEPT_MB = 256
_SPARE, _SPARE_BYTES = 1.1, 256 * _MB


@dataclass(frozen=True)
class SettingChange:
    """One thing that becomes another on the primary, as people read it."""

    name: str
    old: str
    new: str
    why: str

    def says(self) -> str:
        """Old, new and why."""
        return f"{self.old} → {self.new}: {self.why}"


@dataclass(frozen=True)
class StandbyChanges:
    """What will be done on the primary, and the settings that the standby gets beside those of a copy.

    `rule` is the line for pg_hba.conf, empty where it stands there. `keep` is the new `max_slot_wal_keep_size` in MB, 0
    where it stays. `limits` are what the copied files do not say.
    """

    role: bool
    rule: str
    slot: bool
    keep: int
    listed: tuple[SettingChange, ...]
    limits: tuple[tuple[str, int], ...] = ()

    def says(self) -> str:
        """One line for the thread."""
        return ", ".join(one.name for one in self.listed) or "nothing has to be changed on the primary"


@dataclass(frozen=True)
class CopySpace:
    """What the copy takes, and what is free where it will lie, in bytes."""

    needed: int = volatile()
    free: int = volatile()

    def says(self) -> str:
        """Needed and free."""
        return f"{size(self.needed)} needed, {size(self.free)} free"


def plan_changes(
    leader: Server, state: PrimaryState, upstream: PrimaryAddress, server: Server, there: SiteTools
) -> StandbyChanges:
    """Compare what is with what a standby needs.

    Raises:
        Refused: somebody else reads the slot, or the command line of the standby's container contradicts it.
    """
    _slot_is_free(leader, state, upstream)
    limits = _limits(state, server)
    source = there.site.replication_from
    rule = "" if state.lets_in else f"host replication {upstream.role} {source} scram-sha-256"
    keep = _keep(state, there.files.rooms(leader)["data"].free)
    slot = state.slot is None or state.slot.lost
    listed = [
        *([] if state.role_there else [_role(upstream)]),
        SettingChange(
            "password of the role",
            "its own" if state.role_there else "none",
            "a new random one (SCRAM)",
            "it stands in a file of the standby alone (mode 0600)",
        ),
        *([_rule(rule)] if rule else []),
        *([_kept(state, keep)] if keep else []),
        *([_slot(state, upstream)] if slot else []),
    ]
    return StandbyChanges(not state.role_there, rule, slot, keep, tuple(listed), limits)


def _slot_is_free(leader: Server, state: PrimaryState, upstream: PrimaryAddress) -> None:
    slot = state.slot
    if slot is None or (slot.physical and not slot.active):
        return
    raise Refused(
        f"The slot {upstream.slot} of {leader.service} is another one's. Nothing was touched.",
        code="MD-REP-023",
        detail=f"{slot.reader or 'Somebody'} reads it now." if slot.active else "It is a logical slot.",
        hint="Look who that is: /recover postgres replication. Where it is this very standby, stop its container.",
    )


def _role(upstream: PrimaryAddress) -> SettingChange:
    why = "the standby logs in with it, and it may do nothing but replicate"
    return SettingChange(f"role {upstream.role}", "none", "LOGIN REPLICATION", why)


def _rule(rule: str) -> SettingChange:
    return SettingChange("pg_hba.conf", "no such line", rule, "the primary lets that role in, from there alone")


def _kept(state: PrimaryState, keep: int) -> SettingChange:
    why = "a standby that stays away cannot fill the primary's disk; after so much WAL it has to be built anew"
    return SettingChange("max_slot_wal_keep_size", "-1 (no limit)", f"{keep}MB", why)


def _slot(state: PrimaryState, upstream: PrimaryAddress) -> SettingChange:
    why = "the primary keeps the WAL that the standby still needs"
    return SettingChange(f"slot {upstream.slot}", "lost" if state.slot else "none", "physical", why)


def _keep(state: PrimaryState, free: int) -> int:
    """How much WAL slots may keep, in MB: at most half of the room, in a power of two, so that it stays the same."""
    if state.keep >= 0 or state.keep_fixed:
        return 0
    half, keep = free // _MB // 2, _LEAST_KEPT_MB
    while keep * 2 <= min(half, _MOST_KEPT_MB):
        keep *= 2
    return keep


def _limits(state: PrimaryState, server: Server) -> tuple[tuple[str, int], ...]:
    """The limits that a copy of the primary's files would not have.

    Raises:
        Refused: the standby's own command line has a lower one, which wins over any file.
    """
    told = flags_of(server.command)
    low = [(one, int(told[one.name])) for one in state.limits if told.get(one.name, "").isdigit()]
    low = [(one, own) for one, own in low if own < one.value]
    if low:
        said = ", ".join(f"{one.name} is {own}, the primary has {one.value}" for one, own in low)
        raise Refused(
            f"{server.service} would stop as a standby: its command line gives it less than its primary has. "
            "Nothing was touched.",
            code="MD-REP-024",
            detail=f"{said}.",
            hint="Raise that in the command of its container (Compose), make the container anew, then ask again.",
        )
    return tuple((one.name, one.value) for one in state.limits if not one.copied and one.name not in told)


def flags_of(command: Sequence[str]) -> dict[str, str]:
    """The settings that a command line of a server gives, also within one of a wrapper."""
    given = [two for one, two in pairwise(command) if one == "-c"]
    given += [part.removeprefix("--") for part in command if re.match(r"--\w[\w.-]*=", part)]
    given += [part.removeprefix("-c") for part in command if re.match(r"-c\w[\w.-]*=", part)]
    pairs = (part.partition("=") for part in given)
    return {name.replace("-", "_"): value.strip("'\"") for name, _, value in pairs}


def measure_room(state: PrimaryState, server: Server, folders: Folders) -> CopySpace:
    """What the copy takes beside the data that is kept.

    Raises:
        Refused: the disk is too small.
    """
    needed = int(state.bytes * _SPARE) + _SPARE_BYTES
    free = folders.room(server.data).free
    if free < needed:
        raise Refused(
            f"There is not enough room for a copy of the primary beside the data of {server.service}. "
            "Nothing was touched.",
            code="MD-REP-025",
            detail=f"{size(needed)} are needed in {server.home.parent}, {size(free)} are free.",
            hint="Make room there (old directories that Mayday kept are named *_before_*), then ask again.",
        )
    return CopySpace(needed, free)
