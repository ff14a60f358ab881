"""The toolbox of errands: PagerDuty and the status page, opened for one errand and nothing of the stack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from actions.engine import injection
from actions.engine.errors import Refused
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.tools.outside import Pager, PagerDuty, StatusPage
from actions.tools.registry import ErrandTools
from workers.runner.polling import RealPolling
from workers.statuspage.opening import WronglySet


class NotSetUp:
    """Stands for what the settings do not name: whatever it is asked, it says what to write there."""

    def __init__(self, what: str, setting: str) -> None:
        self.name, self._setting = what, setting

    def __getattr__(self, asked: str) -> Callable[..., Any]:
        def refuse(*_given: Any, **_named: Any) -> Any:
            raise self.refusal()

        return refuse

    def refusal(self) -> Refused:
        """What has to be set."""
        return Refused(
            f"{self.name} is not set up.",
            detail=f"The settings have no {self._setting}.",
            hint=f"Set {self._setting} (docs/configuration.md), then press Retry.",
        )


class ErrandToolbox:
    """Opens the tools of errands. What is not set up is refused when it is used, with what to do about it."""

    def __init__(
        self,
        pagerduty: Callable[[], PagerDuty] | None = None,
        pager: Callable[[], Pager] | None = None,
        status_page: Callable[[], StatusPage] | None = None,
    ) -> None:
        self._pagerduty = pagerduty or (lambda: NotSetUp("PagerDuty", "pagerduty.token"))
        self._pager = pager or (lambda: NotSetUp("Paging", "pagerduty.routing_key"))
        self._status_page = status_page or (lambda: NotSetUp("The status page", "statuspage.kind"))

    @contextmanager
    def open(self, run: Run) -> Iterator[ErrandTools]:
        """The tools; each is closed after, where it can be."""
        tools = ErrandTools(self._pagerduty(), self._pager(), self._status_page(), RealPolling())
        try:
            yield tools
        finally:
            _put_away(vars(tools).values())

    def reach(self, errand: Procedure) -> None:
        """See whether this process has what that errand needs: secrets may be set for the worker alone.

        Raises:
            Refused: something is not set up, or wrongly.
        """
        wanted = injection.taken(errand)
        opens: dict[str, Callable[[], object]] = {
            "pagerduty": self._pagerduty,
            "pager": self._pager,
            "status_page": self._status_page,
        }
        tools = [open() for name, open in opens.items() if name in wanted]
        _put_away(tools)
        for tool in tools:
            if isinstance(tool, (NotSetUp, WronglySet)):
                found = tool.refusal()
                raise Refused(
                    found.message,
                    detail=found.detail,
                    hint="Set it for this process, or start a worker that has it: mayday worker",
                )


def _put_away(tools: Iterable[Any]) -> None:
    for tool in tools:
        if not isinstance(tool, NotSetUp) and hasattr(tool, "close"):
            tool.close()
