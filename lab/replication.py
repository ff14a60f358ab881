"""How replication stands in the practice company, by the servers' own word: for exercises and for their judges."""

from __future__ import annotations

from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from actions.engine.errors import RecoveryError
from lab.containers import find
from lab.database import connected
from lab.engine import connect
from lab.home import STANDBY, Lab

Node = dict[str, Any]
_ASK = """
select pg_is_in_recovery(),
       case when pg_is_in_recovery()
            then coalesce((select received_tli from pg_stat_wal_receiver),
                          (select timeline_id from pg_control_checkpoint()))
            else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end,
       case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
       case when pg_is_in_recovery() and pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()
            then extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 else 0.0 end,
       coalesce((select status = 'streaming' from pg_stat_wal_receiver), false)
"""


def replication(lab: Lab) -> dict[str, Any]:
    """Every server, and which of them take writes.

    `lag_bytes` is what the primary has written and a standby has not replayed, `lag_seconds` how old the newest commit
    is that it has replayed while there is more to replay; None where that is not known.
    """
    nodes = [_node(lab, service, site) for service, site in _servers(lab)]
    written = max((node["_at"] for node in nodes if node["role"] == "primary"), default=None)
    for node in nodes:
        at = node.pop("_at")
        known = node["role"] == "standby" and written is not None
        node["lag_bytes"] = max(0, written - at) if known else 0 if node["role"] == "primary" else None
    return {"nodes": nodes, "takes_writes": [node["name"] for node in nodes if node["role"] == "primary"]}


def primary_service(lab: Lab) -> str:
    """The server that takes writes: the standby once it was promoted, else the first one, even where that is down.

    Where both take writes, it is the one on the newer timeline.
    """
    if not lab.standby:
        return "postgres"
    taking = [node for node in replication(lab)["nodes"] if node["role"] == "primary"]
    newest = max(taking, key=lambda node: int(node["timeline"]), default=None)
    return STANDBY if newest is not None and newest["name"] == lab.container(STANDBY) else "postgres"


def _servers(lab: Lab) -> list[tuple[str, str]]:
    return [("postgres", lab.project), *([(STANDBY, lab.standby_site)] if lab.standby else [])]


def _node(lab: Lab, service: str, site: str) -> Node:
    name = lab.container(service)
    container = find(connect(), name)
    node: Node = {"name": name, "site": site, "role": None, "state": container.status if container else "absent"}
    node |= {"timeline": None, "lsn": None, "lag_seconds": None, "streaming": False, "_at": 0}
    if node["state"] != "running":
        return node
    try:
        with connected(lab, service) as db:
            told = db.execute(_ASK).fetchone()
    except (RecoveryError, psycopg.Error):
        return node | {"state": "not answering"}
    if told is None:
        return node
    recovering, timeline, lsn, seconds, streaming = told
    high, low = str(lsn).split("/")
    node |= {"role": "standby" if recovering else "primary", "timeline": timeline, "lsn": str(lsn)}
    return node | {"lag_seconds": seconds, "streaming": streaming, "_at": (int(high, 16) << 32) + int(low, 16)}


def show(console: Console, found: dict[str, Any]) -> None:
    """A table for people."""
    table = Table("server", "role", "state", "timeline", "position", "behind", box=None, pad_edge=False)
    table.columns[0].overflow = "fold"
    for node in found["nodes"]:
        behind = _behind(node) if node["role"] == "standby" else ""
        state = f"{node['state']}{', streaming' if node['streaming'] else ''}"
        row = (node["name"], node["role"] or "unknown", state, node["timeline"] or "", node["lsn"] or "")
        table.add_row(*map(str, row), behind)
    console.print(table)
    names = ", ".join(found["takes_writes"]) or "none"
    console.print(f"Takes writes: {names}", markup=False)


def _behind(node: Node) -> str:
    size = "unknown" if node["lag_bytes"] is None else f"{node['lag_bytes']:,} B"
    return size if node["lag_seconds"] is None else f"{size}, {node['lag_seconds']:.1f} s"
