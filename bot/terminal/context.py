"""What the entry point gives to the commands of the terminal, and what each of them works with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actions.engine.procedure import Procedure
    from actions.engine.run import Run
    from actions.findings import Finding
    from actions.settings.settings import Settings
    from actions.store.store import Store


@dataclass(frozen=True)
class Caller:
    """Who runs this process: the real user id, and the one that sudo was called by (a text, maybe empty)."""

    uid: int
    sudo_uid: str = ""


@dataclass(frozen=True)
class TerminalContext:
    """How to get at settings, store, queue, runner and clock; nothing is built before it is wanted.

    `reach` raises where this process has not what a run needs: it may not speak to Docker, or an errand's secret
    is not set for it. `runner` gives a function that carries a run out in
    this process and says why it stopped. `wait_seconds` is how many seconds nobody may carry a followed run out
    before that is said. `prepare` makes what a server needs on a first start and says what came of it;
    `variable` is a variable of the environment, None where it is empty or not there.
    """

    settings: Callable[[Path | None], Settings]
    store: Callable[[Settings], Store]
    catalog: Callable[[], Sequence[Procedure]]
    enqueue: Callable[[Settings, Store], Callable[[str], object]]
    reach: Callable[[Settings, Run], None]
    runner: Callable[[Settings, Store], Callable[[str], str]]
    checks: Callable[[Settings, Store], Sequence[Finding]]
    clock: Callable[[], datetime]
    who: Caller
    wait_seconds: float = 15.0
    prepare: Callable[[Settings], Iterable[Finding]] = lambda _settings: ()
    settings_path: Callable[[Path | None], Path] = lambda config: config or Path("mayday.toml")
    variable: Callable[[str], str | None] = lambda _name: None
