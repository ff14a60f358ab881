"""The practice Slack without a network: a Web API client whose calls are carried out in memory, by the same rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.slack_response import SlackResponse

from lab.slack import webapi
from lab.slack.calls import Call
from lab.slack.world import World


class PracticeClient(WebClient):
    """Speaks to a workspace in memory. `calls` are the methods that were called; `refuse` says an error, or nothing."""

    def __init__(self, world: World, refuse: Callable[[str], str] = lambda method: "") -> None:
        super().__init__(token="xoxb-practice")
        self.world, self.refuse = world, refuse
        self.calls: list[str] = []

    def api_call(self, api_method: str, **sent: Any) -> SlackResponse:  # type: ignore[override]
        given = {**(sent.get("params") or {}), **(sent.get("data") or {}), **(sent.get("json") or {})}
        args = {
            name: (webapi._unpacked(name, value) if isinstance(value, str) else value)
            for name, value in given.items()
            if value is not None
        }
        self.calls.append(api_method)
        refusal = self.refuse(api_method)
        call = Call(self.world, api_method, args, "xoxb-practice", self.world.clock())
        said = {"ok": False, "error": refusal} if refusal else webapi.carry_out(call, webapi.METHODS)
        response = SlackResponse(
            client=self, http_verb="POST", api_url=api_method, req_args={}, data=said, headers={}, status_code=200
        )
        if not said["ok"]:
            raise SlackApiError(str(said), response)  # type: ignore[no-untyped-call]
        return response

    def _upload_file(self, *, url: str, data: bytes, **_more: Any) -> Any:  # type: ignore[override]
        file = self.world.files[url.rpartition("/")[2]]
        assert len(data) == file.length
        file.content = data
        return _Uploaded()


def _read(name: str, value: Any) -> Any:
    return webapi._unpacked(name, value) if isinstance(value, str) else value


class _Uploaded:
    """What the SDK wants to know of an upload."""

    status, body = 200, "OK"
