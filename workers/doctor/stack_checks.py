"""What `mayday doctor` says of the stack in the settings: what is on which site, and what is written the old way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from actions.findings import Finding
from actions.settings.settings import Settings
from actions.stack.order import waves
from actions.stack.stack import Site


def check(settings: Settings) -> list[Finding]:
    """One finding for the stack, and one for `depends_on`, which is read as before."""
    found = [Finding("stack", True, "; ".join(map(_told, settings.stack())))]
    if settings.pagerduty.depends_on:
        found.append(Finding("pagerduty.depends_on", True, _old(settings.pagerduty.depends_on)))
    return found


def _told(site: Site) -> str:
    return f"{len(site.services)} services in {len(waves(site.services))} waves on the site {site.name}"


def _old(depends_on: Mapping[str, Sequence[str]]) -> str:
    name, needs = next(iter(depends_on.items()))
    said = f"[[services]] name = {json.dumps(name)}, needs = {json.dumps(list(needs))}"
    return f"it is still read, for alerts alone; write what needs what into the stack instead: {said}, and so on"
