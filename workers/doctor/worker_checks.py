"""What `mayday doctor` says of the workers: who serves what, which chores go wrong, how the schedules stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from actions.catalog import find
from actions.chores import chore_records
from actions.engine.errors import RecoveryError
from actions.engine.served import told, unserved
from actions.findings import Finding
from actions.settings.settings import Settings
from actions.store.notes import living_workers
from actions.store.store import Store
from workers.watch.schedule_ticks import must_be_askable

_LATELY = timedelta(days=1)


def check(settings: Settings, store: Store) -> list[Finding]:
    """All of it."""
    return [workers(settings, store), chores(store), *schedules(settings, store)]


def workers(settings: Settings, store: Store) -> Finding:
    """Who lives, and what of the settings nobody serves."""
    alive = living_workers(store)
    if not alive:
        return Finding("worker", False, "none is alive", "Start one: mayday worker")
    said = "; ".join(f"{told(worker, name)}, {worker.get('version', '')}" for name, worker in alive.items())
    lacking = unserved(alive.values(), [site.name for site in settings.stack()])
    if not lacking:
        return Finding("worker", True, said)
    do = "Start a worker on that site's host, or name them to one: mayday worker --site SITE --lane LANE"
    return Finding("worker", False, f"nobody serves {', '.join(lacking)}; alive: {said}", do)


def chores(store: Store) -> Finding:
    """Those that go wrong again and again."""
    now = store.clock()
    troubled = [one for one in chore_records.states(store) if one.troubled(now)]
    if not troubled:
        return Finding("chores", True, "none goes wrong again and again")
    seen = "; ".join(
        f"{one.name}{f' on {one.place}' if one.place else ''}: {one.in_a_row} times in a row, {one.why}"
        for one in troubled
    )
    return Finding("chores", False, seen, "Mend what it names; the chore goes on by itself. The log has more.")


def schedules(settings: Settings, store: Store) -> Iterator[Finding]:
    """When each is due next, and what became of its due times of the last day where that was unusual."""
    now = store.clock()
    lately = store.taken(now - _LATELY) if settings.schedules else []
    for table in settings.schedules:
        try:
            must_be_askable(table, settings, find, now)
        except RecoveryError as wrong:
            yield Finding(
                f"schedule {table.name}",
                False,
                wrong.message,
                wrong.hint,
            )
            continue
        when = table.when(settings.operations_zone)
        following = f"next {when.after(now):%Y-%m-%d %H:%M} UTC"
        passed = [one for one in lately if one.due.schedule == table.name and not one.run]
        name = f"schedule {table.name}"
        if passed:
            last = passed[-1].due
            seen = f"passed over {len(passed)} in a day, the last {last.at:%H:%M} UTC: {last.why}; {following}"
            yield Finding(name, False, seen, "Keep a worker running, or ask for it yourself now.")
        else:
            late = [one.due for one in lately if one.due.schedule == table.name and one.due.why]
            yield Finding(name, True, f"{following}{f'; the last was {late[-1].why}' if late else ''}")
