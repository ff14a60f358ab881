"""What Docker's containers did, told live: Docker itself keeps 256 events, which a busy machine makes in a minute."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from lab.engine import connect

_ACTIONS = ("create", "destroy", "die", "pause", "rename", "restart", "start", "unpause")


@dataclass(frozen=True)
class Happened:
    """One event of a container."""

    at: datetime
    container: str
    action: str


class Watch:
    """Keeps the events of the containers whose names begin so, and of the clones and helpers of runs."""

    def __init__(self, prefix: str) -> None:
        self._prefixes = (prefix, "mayday-")
        self._happened: list[Happened] = []
        self._client = connect()
        self._stream: Any = None
        self._thread = threading.Thread(target=self._listen, name="watch", daemon=True)
        self.broke = ""

    def __enter__(self) -> Self:
        self._stream = self._client.events(decode=True, filters={"type": "container", "event": list(_ACTIONS)})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, AttributeError, ValueError):
            self._stream.close()

    def since(self, moment: datetime) -> list[Happened]:
        return [one for one in list(self._happened) if one.at >= moment]

    def _listen(self) -> None:
        try:
            for event in self._stream:
                name = str(event["Actor"]["Attributes"].get("name", ""))
                if name.startswith(self._prefixes):
                    at = datetime.fromtimestamp(event["timeNano"] / 1e9, UTC)
                    self._happened.append(Happened(at, name, str(event["Action"])))
        except (OSError, ValueError, KeyError) as gone:
            self.broke = repr(gone)
