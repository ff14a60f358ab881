"""The smoke test through the application, which is where the old primary was."""

from __future__ import annotations

from actions.steps.postgres import proof
from actions.tools.polling import Polling
from actions.tools.registry import SiteTools


def smoke_test_there(there: SiteTools, polling: Polling) -> None:
    """Write and read once through the application, where the settings say how."""
    proof.smoke_test(there.site, there.web, polling)


def passes_there(there: SiteTools) -> bool:
    """Whether the application writes and reads."""
    return proof.smoke_passed(there.site, there.web)
