"""How chores go, for `/metrics`: counted by whoever did them, wherever that was."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from actions.chores.chore_records import states
from actions.store.store import Store


def chores(store: Store) -> Iterator[Metric]:
    """Every chore that ever failed: how often, and how often in a row by now."""
    labels = ["chore", "place"]
    failures = CounterMetricFamily("mayday_chore_failures", "Turns of a chore that went wrong.", labels=labels)
    in_a_row = GaugeMetricFamily("mayday_chore_failing", "Turns that went wrong in a row by now.", labels=labels)
    for one in states(store):
        failures.add_metric([one.name, one.place], one.failures)
        in_a_row.add_metric([one.name, one.place], one.in_a_row)
    yield failures
    yield in_a_row
