"""A report as cState keeps it: one Markdown file an incident, front matter above, updates below, newest first.

What Mayday has to know again stands in the front matter as one line of JSON under `mayday`; the text below
may be edited by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime

from actions.engine.errors import RecoveryError
from actions.tools.outside import Draft
from workers.statuspage.before import MAINTAINED

_FENCE = "---"
_RECORD = "mayday: "
_ORDER = ("none", "minor", "major", "critical")
_SEVERITY = {"critical": "down", "major": "disrupted"}
_SUFFERS = {"down": "major_outage", "disrupted": "partial_outage"}


@dataclass(frozen=True)
class Report:
    """One incident on the page. `impact` is the worst so far, `text` the newest update, `body` all of them."""

    incident: str
    title: str
    status: str
    text: str
    impact: str
    started: str
    resolved: str = ""
    updates: int = 0
    components: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def severity(self) -> str:
        """cState's word for how bad it is: down, disrupted, notice."""
        return _SEVERITY.get(self.impact, "notice")


def begun(draft: Draft, now: datetime) -> Report:
    """A report that says nothing yet."""
    return Report(draft.incident, draft.title, "", "", "none", _stamp(now))


def updated(report: Report, draft: Draft, now: datetime) -> Report:
    """The report with the draft as its newest update. Resolving sets its components back."""
    over = draft.status == "resolved"
    components = {**report.components, **draft.components}
    worst = max(report.impact, "none" if over else draft.impact, key=_ORDER.index)
    return replace(
        report,
        title=draft.title,
        status=draft.status,
        text=draft.text,
        impact=worst,
        updates=report.updates + 1,
        components=dict.fromkeys(components, "operational") if over else components,
        resolved=_stamp(now) if over else "",
        body=f"{_paragraph(draft, now)}\n\n{report.body}".strip(),
    )


def render(report: Report) -> str:
    """The file. JSON's strings, lists and maps are YAML's too."""
    record = asdict(report) | {"title": None, "body": None}
    rows = (
        ("title", _json(report.title)),
        ("date", report.started),
        ("resolved", "true" if report.resolved else "false"),
        ("resolvedWhen", report.resolved or '""'),
        ("severity", report.severity),
        ("affected", _json(list(report.components))),
        ("section", "issue"),
        (_RECORD.partition(":")[0], _json({k: v for k, v in record.items() if v is not None})),
    )
    front = "\n".join(f"{name}: {value}" for name, value in rows)
    return f"{_FENCE}\n{front}\n{_FENCE}\n{report.body}\n"


def parse(text: str, name: str) -> Report | None:
    """The report in a file, None where somebody else wrote it.

    Raises:
        RecoveryError: it was ours and cannot be read any more.
    """
    front, _, body = text.removeprefix(f"{_FENCE}\n").partition(f"\n{_FENCE}\n")
    lines = {line.partition(": ")[0]: line.partition(": ")[2] for line in front.splitlines()}
    if _RECORD[:-2] not in lines:
        return None
    try:
        title = json.loads(lines["title"]) if lines.get("title", "").startswith('"') else lines.get("title", "")
        return Report(title=str(title), body=body.strip(), **json.loads(lines[_RECORD[:-2]]))
    except (ValueError, TypeError) as broken:
        raise RecoveryError(
            f"The report {name} cannot be read any more.",
            code="MD-SP-007",
            detail=str(broken)[:300],
            hint="Its line `mayday:` was changed by hand. Bring it back from the history, or remove the file.",
        ) from broken


def _paragraph(draft: Draft, now: datetime) -> str:
    at = f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return f'*{draft.status.capitalize()}* - {_markdown(draft.text)} {{{{< track "{at}" >}}}}'


def _markdown(text: str) -> str:
    """Neither HTML nor one of Hugo's commands: what people type is text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("{{", "{&#123;")


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _json(value: object) -> str:
    # YAML ends a line at these three, JSON does not.
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\u0085", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def elsewhere(text: str) -> dict[str, str]:
    """What a report of somebody else that is not over makes of its components; nothing where it is over.

    cState knows no maintenance of its own: people write one as a notice. Its lists are YAML's, in one line or several.
    """
    front = text.removeprefix(f"{_FENCE}\n").partition(f"\n{_FENCE}")[0].splitlines()
    said = {name.strip(): value.strip().strip("\"'") for name, _, value in (line.partition(":") for line in front)}
    if said.get("resolved", "").casefold() == "true" or said.get("informational", "").casefold() == "true":
        return {}
    status = _SUFFERS.get(said.get("severity", ""), MAINTAINED)
    return dict.fromkeys(_affected(front), status)


def _affected(front: Sequence[str]) -> Iterator[str]:
    at = next((n for n, line in enumerate(front) if line.startswith("affected:")), None)
    if at is None:
        return
    listed = front[at].partition(":")[2].strip().strip("[]").split(",")
    for line in front[at + 1 :]:
        if not line.lstrip().startswith("- "):
            break
        listed.append(line.lstrip()[2:])
    yield from (name for one in listed if (name := one.strip().strip("\"'")))
