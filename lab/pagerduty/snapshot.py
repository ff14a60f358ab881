"""Keeping the account over a restart: incidents, subscriptions and posts in one JSON file."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from lab.pagerduty.account import Account
from lab.pagerduty.things import Alert, Incident, Json, Note, Post, Subscription

PAUSE = 0.5


def save(account: Account, path: Path) -> None:
    """Write beside, then rename: a crash leaves the old file or the new one. Only the owner may read it."""
    beside = path.with_suffix(path.suffix + ".new")
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.touch(mode=0o600)
    beside.write_text(json.dumps(as_json(account)), encoding="utf-8")
    beside.replace(path)


def load(account: Account, path: Path) -> None:
    if path.exists():
        restore(account, json.loads(path.read_text(encoding="utf-8")))


def as_json(account: Account) -> Json:
    kept = {"incidents": account.incidents, "subscriptions": account.subscriptions, "posts": account.posts}
    things = {name: [asdict(thing) for thing in held.values()] for name, held in kept.items()}  # type: ignore[attr-defined]
    return {**things, "absent": sorted(account.absent)}


def restore(account: Account, kept: Json) -> None:
    for one in kept["incidents"]:
        alerts, notes = [Alert(**a) for a in one["alerts"]], [Note(**n) for n in one["notes"]]
        acknowledged = [(who, at) for who, at in one["acknowledged"]]
        account.add(Incident(**one | {"alerts": alerts, "notes": notes, "acknowledged": acknowledged}))
    account.subscriptions |= {one["id"]: Subscription(**one) for one in kept["subscriptions"]}
    account.posts |= {one["id"]: Post(**one) for one in kept["posts"]}
    account.absent = set(kept["absent"])


async def keep(account: Account, path: Path) -> None:
    """Save soon after anything changed, until cancelled; and once more then."""
    with account.feed.listen() as queue:
        try:
            while True:
                await queue.get()
                await asyncio.sleep(PAUSE)
                while not queue.empty():
                    queue.get_nowait()
                save(account, path)
        finally:
            save(account, path)
