"""An app of Bolt's that names slash commands as its workspace does (`bot/slack/command_names.py`).

Apart from the client, which terminals and workers use too: Bolt is for the process that listens to Slack. To load it
takes a while, and fails for a user of the host who has no home.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from slack_bolt import App, BoltRequest, BoltResponse

from bot.slack.command_names import as_typed, going_out


class RenamingApp(App):
    """An app whose acknowledgements name commands as this workspace does: they do not go through the client."""

    names: Mapping[str, str] = {}

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """As of Bolt's app, through which all that Slack sends goes."""
        answer = super().dispatch(req)
        if self.names and answer.body:
            answer.body = _body(answer.body, self.names)
        return answer


def _body(body: str, names: Mapping[str, str]) -> str:
    try:
        said = json.loads(body)
    except ValueError:
        return as_typed(body, names)
    return json.dumps(going_out(said, names)) if isinstance(said, dict) else as_typed(body, names)
