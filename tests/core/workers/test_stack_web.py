"""HTTP to the stack's own services costs nothing for as long as none is asked."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from actions.engine.errors import RecoveryError
from workers.stack_web import StackWeb


def test_a_look_that_asks_no_service_reads_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[httpx2.Client] = []

    class Counted(httpx2.Client):
        def __init__(self, **named: Any) -> None:
            made.append(self)
            super().__init__(**named)

    monkeypatch.setattr(httpx2, "Client", Counted)
    StackWeb().close()
    assert not made
    web = StackWeb()
    for _ in range(2):
        with pytest.raises(RecoveryError, match="does not answer"):
            web.get("http://127.0.0.1:9/", seconds=1)
    web.close()
    [client] = made
    assert client.is_closed
