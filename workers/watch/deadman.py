"""The dead-man heartbeat: an address outside is called while all is well. Its silence is the alarm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import httpx2
import structlog
from sqlalchemy.exc import SQLAlchemyError

from actions.chores.chores import Chore
from actions.findings import Finding
from workers.watch import audit
from workers.watch.audit import Audit

log = structlog.get_logger("mayday.deadman")

_PATIENCE = 10.0
_SOON = 15.0
"""A worker that just began waits this long: nobody has looked at anything yet."""


@dataclass
class DeadMan:
    """Audits every so often; what failed is said once for each change, and kept for the doctor."""

    audit: Audit
    others: Sequence[Audit] = ()
    """Those of the other sites of the settings: one address is called for all of the installation."""
    _said: str = ""

    def chore(self) -> Chore:
        """Beats for as long as the worker lives."""
        every = self.audit.settings.every
        return Chore("audit", every, self.beat, self.audit.store, first=min(every, _SOON))

    def beat(self) -> bool:
        """Audit once and call the address if all is well; whether it was called and answered."""
        found = [*self.audit.look(), *(one for other in self.others for one in other.look_at_site())]
        failed = [finding for finding in found if not finding.ok]
        called = "" if failed else self._call()
        self._tell(failed, called)
        try:
            audit.keep(self.audit.store, self.audit.site, found, called)
        except SQLAlchemyError as away:
            log.warning("the store does not answer", detail=str(away)[:200])
        return called == "answered"

    def _call(self) -> str:
        url = self.audit.settings.url.get_secret_value()
        if not url:
            return ""
        try:
            answer = httpx2.get(url, timeout=_PATIENCE)
        except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
            return f"did not answer ({type(problem).__name__})"  # The address itself is a secret.
        return "answered" if answer.is_success else f"answered {answer.status_code}"

    def _tell(self, failed: list[Finding], called: str) -> None:
        trouble = [f"{finding.name}: {finding.seen}" for finding in failed]
        trouble += [f"the address {called}"] if called not in ("", "answered") else []
        # Ages grow from one audit to the next; what is wrong is the same.
        what = " ".join([*(finding.name for finding in failed), *([called] if trouble and not failed else [])])
        if what == self._said:
            return
        self._said = what
        if trouble:
            log.error("the heart does not beat", why="; ".join(trouble))
        else:
            log.info("the heart beats", url=bool(called))
