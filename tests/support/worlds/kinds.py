"""Procedures about other kinds of service than PostgreSQL, as a catalog may have them."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.procedure import Look, Procedure, Risk
from actions.engine.reading import Asker, Words

WORDS = ("restart", "redis", "hasura", "nself-cahce", "now")


@dataclass(frozen=True)
class Restart:
    """Restart a service."""

    service: str


def read(text: str, asker: Asker) -> Restart:
    return Restart(asker.service)


def look() -> str:
    return "seen"


def _restart(kind: str) -> Procedure:
    return Procedure(
        name=f"{kind} restart",
        summary="Restart {service}.",
        words=Words(f"recover {kind} restart", "", ("",), read),
        about=kind,
        request=Restart,
        risk=Risk.CHANGES,
        steps=(Look("look at the service", look, gives="seen"),),
    )


REDIS, HASURA = _restart("redis"), _restart("hasura")
