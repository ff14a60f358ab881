"""The names under which the functions of steps take their tools."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from actions.postgres.server import Names
from actions.settings.site import SiteConfig
from actions.tools.docker import Docker
from actions.tools.files import Files
from actions.tools.outside import Pager, PagerDuty, StatusPage
from actions.tools.polling import Polling
from actions.tools.progress import Progress
from actions.tools.sql import Sql
from actions.tools.throughput import Throughput
from actions.tools.web import Web

TOOLS: dict[str, Any] = {
    "docker": Docker,
    "files": Files,
    "sql": Sql,
    "web": Web,
    "throughput": Throughput,
    "polling": Polling,
    "site": SiteConfig,
    "names": Names,
    "progress": Progress,
    "now": datetime,
}
"""The names under which steps take their tools; `now` is the time when the step began."""

ERRAND_TOOLS: dict[str, Any] = {
    "pagerduty": PagerDuty,
    "pager": Pager,
    "status_page": StatusPage,
    "polling": Polling,
    "progress": Progress,
    "now": datetime,
}
"""The tools of errands: what is outside of the stack, and nothing of it."""
