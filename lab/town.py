"""A town that talks: writers that post through Functions all the time, whatever happens to the servers.

Every message whose commit was acknowledged is written down outside of the database before it counts.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import random
import signal
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from lab.home import Lab
from lab.notes import Note, append

_WRITERS = 2
_TIMEOUT_SECONDS = 2.0
_PAUSE_AFTER_FAILURE_SECONDS = 0.5
# A town that is told to stop asks so long for the fate of what it has sent; its end is awaited a little longer.
_LAST_ANSWERS_SECONDS = 5.0
_NEWCOMER_EVERY = 150
_NEW_CHANNEL_EVERY = 700

_PHRASES = (
    "Morning all",
    "Has anybody seen the new numbers?",
    "Deploy is out",
    "Can somebody look at ticket {n}?",
    "On it",
    "The customer is happy again",
    "Notes of the call are in the folder",
    "Back in {n} minutes",
    "Who takes the late shift?",
    "Merged, thank you",
)


@dataclass
class Town:
    """The writers of one lab, and what they know of its people and channels."""

    lab: Lab
    stopping: threading.Event = field(default_factory=threading.Event)
    last_answers: float = _LAST_ANSWERS_SECONDS
    channels: dict[int, str] = field(default_factory=dict)
    users: list[int] = field(default_factory=list)

    def live(self, per_second: float) -> None:
        """Talks until it is told to stop."""
        writers = [threading.Thread(target=self._write_alone, args=(per_second / _WRITERS,)) for _ in range(_WRITERS)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

    def _write_alone(self, per_second: float) -> None:
        with httpx.Client(timeout=_TIMEOUT_SECONDS) as client:
            self.write(client, per_second)

    def write(self, client: httpx.Client, per_second: float) -> None:
        """One writer: so many messages a second on average, until the town is told to stop."""
        said = 0
        while not self.stopping.is_set():
            try:
                self._look_around(client, said)
                self._post(client)
                said += 1
            except httpx.HTTPError:
                self.stopping.wait(_PAUSE_AFTER_FAILURE_SECONDS)
            self.stopping.wait(random.expovariate(per_second))

    def _look_around(self, client: httpx.Client, said: int) -> None:
        """Now and then somebody joins or opens a channel; channels may also be gone since the last look."""
        if said % _NEWCOMER_EVERY == _NEWCOMER_EVERY - 1:
            name = f"Guest {uuid.uuid4().hex[:6]}"
            client.post(self._url("/users"), json={"name": name, "email": f"{name.split()[1]}@nchat.example"})
        if said % _NEW_CHANNEL_EVERY == _NEW_CHANNEL_EVERY - 1:
            client.post(self._url("/channels"), json={"name": f"topic-{uuid.uuid4().hex[:6]}"})
        if said % 20 == 0 or not self.channels:
            channels = client.get(self._url("/channels")).raise_for_status().json()["channels"]
            users = client.get(self._url("/users")).raise_for_status().json()["users"]
            self.channels = {channel["id"]: channel["name"] for channel in channels}
            self.users = [user["id"] for user in users]

    def _post(self, client: httpx.Client) -> None:
        """Posts one message, again and again until it is known whether it was committed."""
        channels, users = list(self.channels), list(self.users)
        if not channels or not users:
            self.stopping.wait(_PAUSE_AFTER_FAILURE_SECONDS)
            return
        # The older a channel, the busier: one of them has most to lose.
        channel = random.choices(channels, weights=[1 / (2 + place) for place in range(len(channels))])[0]
        body = random.choice(_PHRASES).format(n=random.randint(2, 900)) + f" [{uuid.uuid4().hex[:8]}]"
        message = {
            "channel_id": channel,
            "user_id": random.choice(users),
            "body": body,
            # The same for every try, so that a commit whose answer was lost is not made twice.
            "client_ref": str(uuid.uuid4()),
        }
        proof = self._until_answered(client, message)
        if proof is not None:
            append(self.lab.truth_file, self._noted(proof, body))

    def _until_answered(self, client: httpx.Client, message: dict[str, Any]) -> dict[str, Any] | None:
        """The proof of the commit; None when the message was refused, or nobody answers a town that stops.

        A try that broke may have been committed: a town that left then would call its own message a stranger's.
        """
        give_up = math.inf
        while True:
            try:
                answer = client.post(self._url("/messages"), json=message)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 200:
                proof: dict[str, Any] = answer.json()
                return proof
            if answer is not None and 400 <= answer.status_code < 500:
                # Its channel or its author is gone: look again before the next message.
                self.channels = {}
                return None
            if self.stopping.is_set():
                give_up = min(give_up, time.monotonic() + self.last_answers)
            if time.monotonic() >= give_up:
                return None
            time.sleep(_PAUSE_AFTER_FAILURE_SECONDS)

    def _noted(self, proof: dict[str, Any], body: str) -> Note:
        return Note(
            kind="message",
            id=proof["id"],
            channel=proof["channel"],
            commit_time=proof["commit_time"],
            timeline=proof["timeline"],
            lsn=proof["lsn"],
            exact=proof["exact"],
            body_md5=hashlib.md5(body.encode()).hexdigest(),
        )

    def _url(self, path: str) -> str:
        # Read again each time: the port may be another one after the lab was started anew.
        return f"http://127.0.0.1:{self.lab.port('functions')}{path}"


def main() -> None:
    arguments = argparse.ArgumentParser(description="Posts messages into the practice company.")
    arguments.add_argument("--root", type=Path, required=True)
    arguments.add_argument("--per-second", type=float, default=8.0)
    asked = arguments.parse_args()
    town = Town(Lab.saved(asked.root))
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: town.stopping.set())
    town.live(asked.per_second)


if __name__ == "__main__":
    main()
