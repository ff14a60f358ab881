"""The tools of a run, one field each: steps take them by these names, and a toolbox has to have all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_type_hints

from actions.settings.site import SiteConfig
from actions.tools.clusters import Clusters
from actions.tools.docker import Docker
from actions.tools.folders import Folders
from actions.tools.names import Names
from actions.tools.networks import Networks
from actions.tools.outside import Pager, PagerDuty, StatusPage
from actions.tools.polling import Polling
from actions.tools.postgres_files import PostgresFiles
from actions.tools.postgres_servers import PostgresServers
from actions.tools.private_answer import PrivateAnswer
from actions.tools.progress import Progress
from actions.tools.sql import Sql
from actions.tools.standbys import Standbys
from actions.tools.throughput import Throughput
from actions.tools.web import Web


@dataclass(frozen=True)
class SiteTools:
    """The tools of one site. `folders` are those of any container; `files`, `servers` and `standbys` know
    PostgreSQL."""

    docker: Docker
    networks: Networks
    folders: Folders
    files: PostgresFiles
    servers: PostgresServers
    standbys: Standbys
    sql: Sql
    web: Web
    throughput: Throughput
    polling: Polling
    private: PrivateAnswer
    clusters: Clusters
    site: SiteConfig
    names: Names


@dataclass(frozen=True)
class ErrandTools:
    """The tools of errands: what is outside of the stack, and nothing of it."""

    pagerduty: PagerDuty
    pager: Pager
    status_page: StatusPage
    polling: Polling


_OF_EACH_STEP: Mapping[str, Any] = {"progress": Progress, "now": datetime}
"""What the loop itself gives; `now` is the time when the step began."""

TOOLS: Mapping[str, Any] = {**get_type_hints(SiteTools), **_OF_EACH_STEP, "there": SiteTools}
"""The names under which steps take their tools, and their types; `there` are those of a second site."""

ERRAND_TOOLS: Mapping[str, Any] = {**get_type_hints(ErrandTools), **_OF_EACH_STEP}
"""The same for errands."""
