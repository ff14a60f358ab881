"""Keeping the account over a restart: incidents, subscriptions, posts and waiting webhooks in one JSON file."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from lab.pagerduty.account import Account
from lab.pagerduty.practice import PagerDutyStandIn
from lab.pagerduty.things import Alert, Incident, Json, Note, Post, Subscription

PAUSE = 0.5


def save(stand_in: PagerDutyStandIn, path: Path) -> None:
    """Write beside, then rename: a crash leaves the old file or the new one. Only the owner may read it."""
    beside = path.with_suffix(path.suffix + ".new")
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.touch(mode=0o600)
    beside.write_text(json.dumps(as_json(stand_in)), encoding="utf-8")
    beside.replace(path)


def load(account: Account, path: Path) -> list[Json]:
    """Take over what the file holds; the webhooks that were not delivered are given back."""
    if not path.exists():
        return []
    kept = json.loads(path.read_text(encoding="utf-8"))
    restore(account, kept)
    undelivered: list[Json] = kept.get("undelivered", [])
    return undelivered


def as_json(stand_in: PagerDutyStandIn) -> Json:
    account = stand_in.account
    kept = {"incidents": account.incidents, "subscriptions": account.subscriptions, "posts": account.posts}
    things = {name: [asdict(thing) for thing in held.values()] for name, held in kept.items()}  # type: ignore[attr-defined]
    return {**things, "absent": sorted(account.absent), "undelivered": stand_in.delivery.undelivered()}


def restore(account: Account, kept: Json) -> None:
    for one in kept["incidents"]:
        alerts, notes = [Alert(**a) for a in one["alerts"]], [Note(**n) for n in one["notes"]]
        acknowledged = [(who, at) for who, at in one["acknowledged"]]
        account.add(Incident(**one | {"alerts": alerts, "notes": notes, "acknowledged": acknowledged}))
    account.subscriptions |= {one["id"]: Subscription(**one) for one in kept["subscriptions"]}
    account.posts |= {one["id"]: Post(**one) for one in kept["posts"]}
    account.absent = set(kept["absent"])


async def keep(stand_in: PagerDutyStandIn, path: Path) -> None:
    """Save soon after anything changed, until cancelled; and once more then."""
    with stand_in.account.feed.listen() as queue:
        try:
            while True:
                await queue.get()
                await asyncio.sleep(PAUSE)
                while not queue.empty():
                    queue.get_nowait()
                save(stand_in, path)
        finally:
            save(stand_in, path)
