"""The dashboard and the page on observing name only metrics and labels that the bot has, and all of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from actions.catalog import CATALOG
from actions.chores.chore_records import ChoreRecord
from actions.store import notes
from actions.watch import service_condition
from actions.watch.run_records import Records
from bot.web.meters import Meters
from bot.web.metrics import Figures
from tests.core.workers.test_condition import NOW, SEEN
from tests.support.bot_world import SERVICE, Clock, office_in, store_in
from tests.support.paths import ROOT
from tests.support.recorded import tell, told_as

DOCS = ROOT / "docs"
NAME = re.compile(r"mayday_\w+")
_ENDINGS = re.compile(r"_(bucket|count|sum)$")


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Every sample that a bot gives who has seen something of everything, with its labels."""
    store = store_in(tmp_path_factory.mktemp("store"), Clock())
    tell(store, "r1")
    store.open_run("r2", next(told_as("r2")).data, claims=True, key="k")
    notes.worker_lives(store, "ops-1:1:1", {"site": "main"})
    ChoreRecord(store, "poll", 60).went_wrong("PagerDuty does not answer.")
    records = Records()
    records.hear(told_as("r1"))
    assert SEEN.reachable is not None
    found = replace(SEEN.reachable, dump_at=NOW)
    service_condition.keep(store, replace(SEEN, reachable=found, record=records.of("nself", SERVICE)))
    meters = Meters()
    meters.acknowledged("/recover", 0.01)
    meters.registry.register(Figures(replace(office_in().bot, store=store, catalog=CATALOG), lambda: 0))
    families = text_string_to_metric_families(generate_latest(meters.registry).decode())
    given: dict[str, set[str]] = {}
    for family in families:
        for sample in family.samples:
            given.setdefault(sample.name, set()).update(sample.labels)
    return given


def expressions() -> list[str]:
    panels: list[dict[str, Any]] = json.loads((DOCS / "grafana-dashboard.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def test_every_metric_of_the_dashboard_exists(labels: dict[str, set[str]]) -> None:
    named = {name for expression in expressions() for name in NAME.findall(expression)}
    assert named <= set(labels)
    assert len(named) > 15


def test_every_label_that_the_dashboard_chooses_by_exists(labels: dict[str, set[str]]) -> None:
    chosen = [
        (name, label)
        for expression in expressions()
        for name, braces in re.findall(r"(mayday_\w+)\{([^}]*)\}", expression)
        for label in re.findall(r"(\w+)\s*[=!]", braces)
    ]
    assert [(name, label) for name, label in chosen if label not in labels[name]] == []
    assert len(chosen) > 5


def test_every_metric_is_on_the_dashboard_and_in_the_docs(labels: dict[str, set[str]]) -> None:
    families = {_ENDINGS.sub("", name) for name in labels if not name.endswith("_created")}
    shown = {_ENDINGS.sub("", name) for expression in expressions() for name in NAME.findall(expression)}
    told = set(NAME.findall((DOCS / "observing.md").read_text()))
    assert families - shown == set()
    assert families - told == set()
    assert told - families == set()


def test_panels_do_not_lie_upon_each_other() -> None:
    panels = json.loads((DOCS / "grafana-dashboard.json").read_text())["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)
