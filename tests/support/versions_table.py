"""Prints what `make versions` proved as the table that stands in README. A plugin of pytest, also side by side."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

FORWARDS = "there, then to before that, a third one undone"
VOLUME = "volume at PGDATA"
ABOVE = {"folder": "folder above PGDATA", "volume": "volume above PGDATA"}
INCREMENTAL = "from an incremental base"
SCENARIOS = (FORWARDS, VOLUME, *ABOVE.values(), INCREMENTAL)

WORDS = {"passed": "yes", "failed": "**no**", "error": "**no**"}


def table(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Lines of Markdown, of server, what was done, and how it went; in the order of versions and of SCENARIOS."""
    went = {(server, scenario): word for server, scenario, word in rows}
    scenarios = [scenario for scenario in SCENARIOS if scenario in {scenario for _, scenario in went}]
    servers = sorted({server for server, _ in went}, key=_order)
    lines = [["PostgreSQL", *scenarios], ["---"] * (len(scenarios) + 1)]
    lines += [[server, *(went.get((server, scenario), "–") for scenario in scenarios)] for server in servers]
    return [f"| {' | '.join(line)} |" for line in lines]


def _order(server: str) -> tuple[float, ...]:
    return tuple(float(part) for part in server.split(",")[0].split("."))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = []
    for outcome, word in WORDS.items():
        for report in terminalreporter.stats.get(outcome, ()):
            told = dict(getattr(report, "user_properties", ()))
            if "server" in told:
                rows.append((told["server"], told["scenario"], word))
    if rows:
        terminalreporter.section("recoveries on each version")
        terminalreporter.write_line("\n".join(table(rows)))
