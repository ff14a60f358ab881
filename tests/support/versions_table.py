"""Prints what `make versions` proved as the table that stands in README. A plugin of pytest, also side by side."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

FORWARDS = "there, then to before that, a third one undone"
VOLUME = "volume at PGDATA"
ABOVE = {"folder": "folder above PGDATA", "volume": "volume above PGDATA"}
INCREMENTAL = "from an incremental base"
DEEDS = (FORWARDS, VOLUME, *ABOVE.values(), INCREMENTAL)

WORDS = {"passed": "yes", "failed": "**no**", "error": "**no**"}


def table(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Lines of Markdown, of server, what was done, and how it went; in the order of versions and of DEEDS."""
    went = {(server, deed): word for server, deed, word in rows}
    deeds = [deed for deed in DEEDS if deed in {deed for _, deed in went}]
    servers = sorted({server for server, _ in went}, key=_order)
    lines = [["PostgreSQL", *deeds], ["---"] * (len(deeds) + 1)]
    lines += [[server, *(went.get((server, deed), "–") for deed in deeds)] for server in servers]
    return [f"| {' | '.join(line)} |" for line in lines]


def _order(server: str) -> tuple[float, ...]:
    return tuple(float(part) for part in server.split(",")[0].split("."))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = []
    for outcome, word in WORDS.items():
        for report in terminalreporter.stats.get(outcome, ()):
            told = dict(getattr(report, "user_properties", ()))
            if "server" in told:
                rows.append((told["server"], told["deed"], word))
    if rows:
        terminalreporter.section("recoveries on each version")
        terminalreporter.write_line("\n".join(table(rows)))
