"""The entry point: reads settings and the environment, builds the parts and starts them.

Nothing else reads the environment, and only here are parts imported late, so that help comes at once.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from actions.version import VERSION
from bot.terminal.deferred import Deferred

if TYPE_CHECKING:
    from actions.engine.procedure import Procedure
    from actions.engine.run import Run
    from actions.findings import Finding
    from actions.settings.settings import Settings
    from actions.store.store import Store
    from bot.terminal.context import TerminalContext
    from workers.runner.toolboxes import InProcessRunner

app = typer.Typer(
    cls=Deferred,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Mayday brings a Docker-hosted stack back while the whole team watches one Slack thread.",
)
Config = Annotated[Path | None, typer.Option("--config", help="The settings file; else $MAYDAY_CONFIG.")]


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"Mayday {VERSION}")
        raise typer.Exit


@app.callback()
def front(
    ctx: typer.Context,
    debug: Annotated[bool, typer.Option(help="Show tracebacks.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", help="Tell the version.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Mayday."""
    home = os.environ.get("MAYDAY_LAB")
    ctx.obj = {"debug": debug, "lab_home": Path(home) if home else None, "terminal": _terminal()}


@app.command()
def bot(config: Config = None) -> None:
    """Listen to Slack and draw threads."""
    from actions.catalog import CATALOG
    from actions.settings.needed import need_slack
    from bot.bot_service import BotService
    from workers.adapters import open_adapters

    settings = _settings(config)
    need_slack(settings, _settings_path(config))
    _logging()
    outside, store = open_adapters(settings, _clock), _store(settings)
    BotService(
        settings,
        store,
        CATALOG,
        _enqueue(settings, store),
        _clock,
        _queue(settings),
        pager=outside.pager,
        pagerduty=outside.pagerduty,
    ).run(_stopped())


@app.command()
def worker(
    config: Config = None,
    site: Annotated[list[str] | None, typer.Option(help="A site to serve; else all of this host.")] = None,
    lane: Annotated[list[str] | None, typer.Option(help="recoveries, errands, backups or drills; else all.")] = None,
) -> None:
    """Carry runs out: several at a time where they do not exclude each other."""
    from actions.catalog import find
    from workers.adapters import open_adapters
    from workers.runner.background import background_chores
    from workers.runner.served_sites import chosen_sites
    from workers.runner.toolboxes import Runners
    from workers.runner.worker import Worker, chosen_lanes, owner_name

    settings = _settings(config)
    sites, lanes = chosen_sites(settings, site or ()), chosen_lanes(settings.lanes.threads(), lane or ())
    _logging()
    store, owner, adapters = _store(settings), owner_name(_clock()), open_adapters(settings, _clock)
    enqueue = _enqueue(settings, store)
    runners = Runners(settings, adapters, store, find, owner, enqueue)
    chores = background_chores(settings, store, find, adapters, owner, enqueue, sites)
    Worker(store, runners, settings.redis.get_secret_value(), find, owner, VERSION, sites, lanes, chores).work()


@app.command("carry-out")
def carry_out(run: str, config: Config = None) -> None:
    """Carry a run or an errand out here and now, without the queue."""
    settings = _settings(config)
    _logging()
    store = _store(settings)
    why = _able(settings).carry_out(store, _known(store, run))
    typer.echo(f"run {run}: {why}")


def _terminal() -> TerminalContext:
    """What commands in a terminal are given; nothing of it is built before it is wanted."""
    from bot.terminal.context import Caller, TerminalContext

    who = Caller(os.getuid(), os.environ.get("SUDO_UID", ""))
    return TerminalContext(
        settings=_settings,
        store=_store,
        catalog=_catalog,
        enqueue=_quiet_enqueue,
        reach=_reach,
        runner=_runner,
        checks=_checks,
        clock=_clock,
        who=who,
        prepare=_prepare,
        settings_path=_settings_path,
        variable=lambda name: os.environ.get(name) or None,
    )


def _catalog() -> Sequence[Procedure]:
    from actions.catalog import CATALOG

    return CATALOG


def _quiet_enqueue(settings: Settings, store: Store) -> Callable[[str], object]:
    """The head of a command says that the queue is away; its log need not."""
    _logging("ERROR")
    return _enqueue(settings, store)


def _able(settings: Settings) -> InProcessRunner:
    from actions.catalog import find
    from workers.runner.toolboxes import InProcessRunner

    return InProcessRunner(settings, find, _clock)


def _reach(settings: Settings, run: Run) -> None:
    _able(settings).reach(run)


def _runner(settings: Settings, store: Store) -> Callable[[str], str]:
    """Carries a run out in this very process; the terminal tells its story from the journal."""
    return lambda run: _able(settings).carry_out(store, run)


def _checks(settings: Settings, store: Store) -> list[Finding]:
    from bot.slack import slack_doctor as words
    from workers.doctor import site_checks

    return [*words.check(settings, store), *site_checks.check(settings, store)]


def _prepare(settings: Settings) -> Iterable[Finding]:
    from workers.postgres.archive_mark import make_marks

    return make_marks(settings)


def _settings(config: Path | None) -> Settings:
    from actions.settings.settings_file import read
    from actions.settings.variables import variables, variables_file

    file = _settings_path(config)
    said = variables(os.environ, variables_file(file))
    return read(file, said.secrets, said.places, said.read_in)


def _settings_path(config: Path | None) -> Path:
    return config or Path(os.environ.get("MAYDAY_CONFIG") or "mayday.toml")


def _store(settings: Settings) -> Store:
    from sqlalchemy.exc import SQLAlchemyError

    from actions.engine.errors import RecoveryError
    from actions.redact import redact
    from actions.store.store import Store

    try:
        return Store(settings.store, _clock)
    except SQLAlchemyError as error:
        seen = str(getattr(error, "orig", None) or type(error).__name__)
        raise RecoveryError(
            f"The store {settings.store.rpartition('@')[2]} cannot be opened.",
            code="MD-ST-008",
            detail=redact(seen),
            hint="Look at who may write it, and whether its database is up.",
        ) from error


def _known(store: Store, run: str) -> str:
    from actions.engine.errors import Refused

    if not store.entries(run):
        raise Refused(f"There is no run {run}.", code="MD-CMD-030", hint="mayday runs lists them.")
    return run


def _enqueue(settings: Settings, store: Store) -> Callable[[str], object]:
    """Puts a run into the queue of its own site and lane."""
    from actions.catalog import known
    from workers.runner.enqueue_run import EnqueueRun

    return EnqueueRun(settings.redis.get_secret_value(), store, known, settings.site.name)


def _queue(settings: Settings) -> Callable[[], int | None]:
    from workers.runner.queue import waiting

    return lambda: waiting(settings.redis.get_secret_value(), settings.site.name)


def _clock() -> datetime:
    return datetime.now(UTC)


def _stopped() -> threading.Event:
    import signal

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _logging(level: str = "INFO") -> None:
    import logging

    import structlog

    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shown = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[structlog.processors.add_log_level, stamp, structlog.processors.format_exc_info, shown],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(format="%(asctime)s %(levelname)-8s %(name)s %(message)s", level=level)
    for noisy in ("slack_bolt", "slack_sdk", "httpx", "httpx2", "rq"):
        logging.getLogger(noisy).setLevel("WARNING" if level == "INFO" else "CRITICAL")


def _typed_here(said: str) -> str:
    """What a hint tells people to type, as it is typed in a terminal."""
    return re.sub(r"(?<![\w/])/(recover|backup|incident)\b", r"mayday \1", said)


def main() -> None:
    """Run a command; errors are for people, tracebacks only with --debug."""
    from actions.engine.errors import RecoveryError

    try:
        app()
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        trouble = (
            error
            if isinstance(error, RecoveryError)
            else RecoveryError(
                "Mayday met something that it did not foresee.",
                code="MD-CMD-031",
                detail=f"{type(error).__name__}: {error}"[:300],
                hint="A run goes on from its journal: mayday runs. The whole story: the same, after mayday --debug.",
            )
        )
        if "--json" in sys.argv:
            sys.stdout.write(_typed_here(json.dumps(trouble.as_json(), ensure_ascii=False)) + "\n")
        else:
            sys.stderr.write(_typed_here(trouble.words()) + "\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
