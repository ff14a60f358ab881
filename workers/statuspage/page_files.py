"""A status page of plain files: cState's Markdown and a `status.json`, in a directory or a git checkout.

It works where every service on the internet is down, and can be looked at with any tool.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from actions.engine.errors import RecoveryError
from actions.incidents.public_text import COMPONENT_STATUSES, same_text
from actions.tools.outside import Draft, Published
from workers.statuspage import cstate
from workers.statuspage.before import MAINTAINED, WELL
from workers.statuspage.checkout import Checkout
from workers.statuspage.cstate import Report

_KEPT = 30
_ORDER = (WELL, MAINTAINED, *COMPONENT_STATUSES[1:])


class FilesPage:
    """The page in a directory. `components` are those that `status.json` names though nothing is wrong."""

    name = "status files"

    def __init__(
        self, path: Path, clock: Callable[[], datetime], public_url: str = "", components: Sequence[str] = ()
    ) -> None:
        self._path, self._clock, self._components = path, clock, components
        self._public_url = public_url.rstrip("/")
        hugo = (path / "content").is_dir()
        self._issues = path / "content" / "issues" if hugo else path / "issues"
        self._summary = path / "static" / "status.json" if hugo else path / "status.json"

    def find(self, incident: str) -> Published | None:
        """What the public gets: in a checkout with a remote only what was pushed."""
        with self._speaking():
            checkout, file = Checkout.at(self._path), self._file(incident)
            text = checkout.public(file) if checkout else _text_of(file)
            report = cstate.parse(text, file.name) if text is not None else None
            return self._published(report) if report else None

    def publish(self, draft: Draft) -> Published:
        """Write the report and `status.json`, then commit and push where it is a checkout."""
        with self._speaking(), self._alone():
            file, now = self._file(draft.incident), self._clock()
            there = cstate.parse(text, file.name) if (text := _text_of(file)) is not None else None
            report = there or cstate.begun(draft, now)
            if not (report.status == draft.status and same_text(report.text, draft.text)):
                report = cstate.updated(report, draft, now)
                _write(file, cstate.render(report))
            self._summarise(now)
            if checkout := Checkout.at(self._path):
                checkout.keep((file, self._summary), f"{draft.status.capitalize()}: {draft.title}")
            return self._published(report)

    def components(self) -> dict[str, str]:
        """Any name will do here; these are the ones in use.

        Raises:
            RecoveryError: the directory is not there or cannot be written.
        """
        with self._speaking(), self._alone():
            if not os.access(self._path, os.W_OK):
                raise PermissionError(f"{self._path} cannot be written")
            return {name: name for name in self._components}

    def close(self) -> None:
        """Nothing is held open."""

    def _summarise(self, now: datetime) -> None:
        summary = self._summary_of(*self._reports())
        # Only what changes the page is a change: a second writing leaves no trace.
        if _settled(_text_of(self._summary)) != summary:
            text = json.dumps({"updated": now.isoformat(), **summary}, indent=2, ensure_ascii=False)
            _write(self._summary, text + "\n")

    def _summary_of(self, reports: Sequence[Report], others: Sequence[dict[str, str]]) -> dict[str, Any]:
        """Each component is as bad as the worst report that is not over says, whoever wrote that."""
        components = dict.fromkeys(self._components, WELL)
        for touched in (*({} if r.resolved else r.components for r in reports), *others):
            for name, status in touched.items():
                components[name] = max(components.get(name, WELL), status, key=_ORDER.index)
        components |= {name: WELL for report in reports for name in report.components if name not in components}
        worst = max(components.values(), key=_ORDER.index, default=WELL)
        newest = sorted(reports, key=lambda r: r.started, reverse=True)
        older = {"older_incidents": len(newest) - _KEPT} if len(newest) > _KEPT else {}
        return {"status": worst, "components": components, "incidents": [_told(r) for r in newest[:_KEPT]], **older}

    def _reports(self) -> tuple[list[Report], list[dict[str, str]]]:
        """Mayday's own reports, and what those of others make of the components."""
        ours, others = list[Report](), list[dict[str, str]]()
        for file in sorted(self._issues.glob("*.md")):
            text = file.read_text("utf-8")
            report = cstate.parse(text, file.name)
            if report is not None:
                ours.append(report)
            else:
                others.append(cstate.elsewhere(text))
        return ours, others

    def _file(self, incident: str) -> Path:
        plain = re.sub(r"[^a-z0-9]+", "-", incident.casefold()).strip("-")[:60]
        # Two ids that look alike in a file name are told apart.
        mark = "" if plain == incident else f"-{hashlib.sha256(incident.encode()).hexdigest()[:6]}"
        return self._issues / f"mayday-{plain}{mark}.md"

    def _published(self, report: Report) -> Published:
        file = self._file(report.incident)
        url = f"{self._public_url}/issues/{file.stem}/" if self._public_url else ""
        return Published(file.stem, url, report.status, report.updates, report.text)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time, in this process or another."""
        held = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield
        finally:
            os.close(held)

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as problem:
            raise RecoveryError(
                "The status page's files cannot be read or written.",
                code="MD-SP-010",
                detail=str(problem)[:300],
                hint=f"Look at {self._path}: is it there, may Mayday write, is there space?",
            ) from problem


def _told(report: Report) -> dict[str, Any]:
    return {
        "title": report.title,
        "status": report.status,
        "impact": report.impact,
        "severity": report.severity,
        "started": report.started,
        "resolved": report.resolved or None,
        "text": report.text,
        "components": list(report.components),
    }


def _settled(text: str | None) -> Any:
    """What `status.json` says, but for when it was written; None where it says nothing sensible."""
    try:
        said = json.loads(text or "")
    except ValueError:
        return None
    return {k: v for k, v in said.items() if k != "updated"} if isinstance(said, dict) else None


def _text_of(file: Path) -> str | None:
    return file.read_text("utf-8") if file.exists() else None


def _write(file: Path, text: str) -> None:
    """Beside, to the disk, then renamed: whoever reads finds the old file or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.new")
    with beside.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)
    directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
