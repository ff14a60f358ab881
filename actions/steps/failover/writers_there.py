"""Those who write into the primary, on its site."""

from __future__ import annotations

from actions.steps.postgres.look_at_server import Writers, see_writers
from actions.tools.registry import SiteTools


def see_writers_there(there: SiteTools) -> Writers:
    """The writers of the primary's settings that exist there."""
    return see_writers(there.site, there.docker)
