"""The stack's pictures in Slack: one file for each state of a site, uploaded once and named by image blocks.

A file that was just uploaded cannot be shown yet: Slack goes on reading it, and until then it answers `invalid_blocks`
(slackapi/python-slack-sdk#1658). When it is ready only `files.info` would tell, which wants one more right. So a file
rests for some seconds first, and for longer each time that Slack does not take it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from slack_sdk import WebClient

from actions.stack import picture
from actions.stack.stack import Site
from bot.context import BotContext
from bot.replies import stack_shown
from bot.slack.client import FAILURES, trouble
from bot.slack.stack_png import NoPicture, png
from bot.views.mrkdwn import Block

_log = logging.getLogger(__name__)
NOTE = "stack picture"
"""The kind of the notes that tell, for each site, which file shows what."""
AT_MOST_EVERY = timedelta(minutes=1)
"""A site whose state changes all the time is not uploaded more often; meanwhile it has no picture."""
_READY_AFTER = timedelta(seconds=4)
_MOST_REFUSALS = 5
_ALT = 2000


@dataclass(frozen=True)
class StackImage:
    """A file of Slack that shows a site as it is now, and the same in words."""

    site: str
    file: str
    alt: str

    def block(self) -> Block:
        """The block that shows it."""
        alt = self.alt if len(self.alt) <= _ALT else self.alt[: _ALT - 60] + "… All of it as text: /recover stack"
        return {"type": "image", "slack_file": {"id": self.file}, "alt_text": alt}


class StackPictures:
    """Finds or makes the picture of a site; what it knows is noted in the store, for all bots and after a restart."""

    def __init__(self, bot: BotContext, client: WebClient) -> None:
        self._bot, self._client = bot, client

    def shown(self, site: Site) -> StackImage | None:
        """The picture of a site as it is now, where Slack can show it by now; a new one is uploaded when it is due."""
        now, (svg, image, look) = self._bot.clock(), self._drawn(site)
        noted = self._noted(site)
        if noted.get("look") == look:
            return image(str(noted["file"])) if self._is_ready(noted, now) else None
        if not noted or now - datetime.fromisoformat(noted["at"]) >= AT_MOST_EVERY:
            try:
                self._upload(site, svg, look)
            except NoPicture as why:
                _log.warning("the stack of %s has no picture: %s", site.name, why)
        return None

    def at_once(self, site: Site) -> StackImage:
        """The picture of a site as it is now, for somebody who asks for it; Slack may not be able to show it yet.

        Raises:
            NoPicture: there is none.
        """
        svg, image, look = self._drawn(site)
        noted = self._noted(site)
        if noted.get("look") != look or not noted.get("file"):
            noted = self._upload(site, svg, look)
        return image(str(noted["file"]))

    def refused(self, image: StackImage) -> None:
        """Slack did not take it; it is shown later, or after some times no more."""
        for name, noted in self._bot.store.notes(NOTE).items():
            if name == image.site and noted.get("file") == image.file:
                later = {"refusals": int(noted["refusals"]) + 1, "at": self._bot.clock().isoformat()}
                self._bot.store.keep(NOTE, name, {**noted, **later})

    def _drawn(self, site: Site) -> tuple[str, Callable[[str], StackImage], str]:
        """The picture, what makes an image of a file that shows it, and the hash of how it looks."""
        now, seen = self._bot.clock(), [stack_shown.seen(self._bot, site)]
        svg, alt = picture.svg(seen, now), picture.told(seen, now)
        return svg, lambda file: StackImage(site.name, file, alt), sha256(svg.encode()).hexdigest()[:16]

    def _noted(self, site: Site) -> dict[str, Any]:
        noted = self._bot.store.note(NOTE, site.name)
        return noted if isinstance(noted, dict) else {}

    def _is_ready(self, noted: dict[str, Any], now: datetime) -> bool:
        refusals = int(noted["refusals"])
        rests = _READY_AFTER * 2**refusals
        return bool(noted["file"]) and refusals < _MOST_REFUSALS and now - datetime.fromisoformat(noted["at"]) >= rests

    def _upload(self, site: Site, svg: str, look: str) -> dict[str, Any]:
        """Upload it to no channel: it is shown where a block names it, and nowhere else."""
        made = {"look": look, "file": "", "at": self._bot.clock().isoformat(), "refusals": 0}
        # Before it: what goes wrong is tried again after a while, and not at each look.
        self._bot.store.keep(NOTE, site.name, {**made, "look": ""})
        name = f"stack-{site.name}.png"
        try:
            said = self._client.files_upload_v2(filename=name, title=f"The stack of {site.name}", file=png(svg))
        except FAILURES as error:
            raise NoPicture(f"Slack did not take the file ({trouble(error).code})") from error
        noted = {**made, "file": str(said["files"][0]["id"])}
        self._bot.store.keep(NOTE, site.name, noted)
        return noted
