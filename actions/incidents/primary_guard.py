"""The guard against two primaries: one that was replaced by a failover and takes writes again is fenced at once.

Nobody is asked, as whoever agreed to the failover was told of it. Where no run of ours has replaced it, nothing is done
here: which of two is right is then for people to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actions.control.requests import Subject, open_run
from actions.engine.errors import NOT_READ, Busy
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.incidents.open_errands import ITSELF
from actions.stack.clusters import asker_about
from actions.stack.stack import Stack
from actions.store.store import Store
from actions.watch.cluster_status import ClusterStatus
from actions.watch.replication_health import ClusterState

FENCE = "postgres fence"
NOTE = "cluster moved"
"""The kind of the notes; the key is the primary's site and service by the settings, the value the run that moved it."""
_PROVEN = "proof"
"""The fact that the run which replaced a primary gives once the new one is proven to take writes."""


@dataclass
class PrimaryGuard:
    """Remembers which run replaced a primary, and has a replaced one fenced that takes writes."""

    store: Store
    stack: Stack
    catalog: Sequence[Procedure]
    operations_zone: str = "UTC"
    enqueue: Callable[[str], object] = lambda run: None

    def tell(self, status: ClusterStatus) -> str:
        """Note who moves the cluster; of two primaries have the replaced one fenced. The run that does it, or none."""
        verdict, key = status.verdict, _key(status.members.primary)
        if verdict.run and self.store.note(NOTE, key) != verdict.run:
            self.store.keep(NOTE, key, verdict.run)
        if verdict.state is not ClusterState.SPLIT:
            return ""
        moved = self._moved_by(str(self.store.note(NOTE, key) or ""))
        return self._fence(status, moved) if moved is not None else ""

    def _moved_by(self, run: str) -> Run | None:
        """The run that replaced the primary, if it came as far as the proof."""
        if not run:
            return None
        try:
            found = self.store.run(run)
        except (KeyError, *NOT_READ):
            return None
        return found if _PROVEN in found.facts else None

    def _fence(self, status: ClusterStatus, moved: Run) -> str:
        old = Subject(str(moved.request["primary_site"]), str(moved.request["primary"]))
        new = Subject(moved.site, moved.service)
        record = status.records.get(old)
        if record is None or not record.probe.writes or record.writes_since is None:
            return ""
        procedure = next(one for one in self.catalog if one.name == FENCE)
        asker = asker_about(self.stack, new, self.store.clock(), self.operations_zone, None)
        incident = str(moved.origin.get("incident") or "")
        try:
            opened = open_run(
                self.store,
                procedure,
                procedure.words.read("", asker),
                by=ITSELF,
                subject=new,
                origin={"sink": "watch", **({"incident": incident} if incident else {})},
                # Once for each time that it began to take writes.
                key=f"fence of {_key(old)} {record.writes_since.isoformat()}",
            )
        except Busy:
            return ""
        if opened.new:
            self.enqueue(opened.id)
        return opened.id


def _key(who: Subject) -> str:
    return f"{who.site} {who.service}"
