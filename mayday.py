"""The front door: reads settings and the environment, builds the parts and starts them.

Nothing else reads the environment, and only here are parts imported late, so that help comes at once.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click
import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from actions.engine.store import Store
    from actions.settings import Settings

VERSION = "0.1.0"
_LATE = {"lab": ("lab.cli", "A practice company on this machine: train on it, break it, recover it.")}
_SECRETS = {"bot_token": "SLACK_BOT_TOKEN", "app_token": "SLACK_APP_TOKEN", "signing_secret": "SLACK_SIGNING_SECRET"}


class _Late(TyperGroup):
    """Imports a group of commands when it is called for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted({*super().list_commands(ctx), *_LATE})

    def get_command(self, ctx: Any, name: str) -> Any:
        if name not in _LATE:
            return super().get_command(ctx, name)
        module, summary = _LATE[name]
        if ctx.resilient_parsing or "--help" in sys.argv[1:2]:
            return click.Group(name, help=summary)
        return typer.main.get_command(importlib.import_module(module).app)


app = typer.Typer(
    cls=_Late,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Mayday brings a Docker-hosted stack back while the whole team watches one Slack thread.",
)
journal = typer.Typer(help="The journals: what every run did, hash-chained.", no_args_is_help=True)
app.add_typer(journal, name="journal")
Config = Annotated[Path | None, typer.Option("--config", help="The settings file; else $MAYDAY_CONFIG.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document and nothing else.")]


@app.callback()
def front(ctx: typer.Context, debug: Annotated[bool, typer.Option(help="Show tracebacks.")] = False) -> None:
    """Mayday."""
    home = os.environ.get("MAYDAY_LAB")
    ctx.obj = {"debug": debug, "lab_home": Path(home) if home else None}


@app.command()
def bot(config: Config = None) -> None:
    """Listen to Slack and draw threads."""
    from actions.catalog import CATALOG
    from bot.service import BotService

    settings = _settings(config)
    _logging()
    BotService(settings, _store(settings), CATALOG, _ring(settings), _clock).run(_stopped())


@app.command()
def worker(config: Config = None) -> None:
    """Carry runs out, one at a time."""
    from actions.catalog import find
    from workers.service import Worker

    settings = _settings(config)
    _logging()
    store = _store(settings)
    loop = _loop(settings, store)
    redis, errands = settings.redis.get_secret_value(), _errands(store)
    Worker(store, loop, redis, settings.site.name, VERSION, find, errands=errands).work()


@app.command("carry-out")
def carry_out(run: str, config: Config = None) -> None:
    """Carry a run out here and now, without the queue."""
    settings = _settings(config)
    _logging()
    store = _store(settings)
    why = _loop(settings, store).carry_out(_known(store, run))
    typer.echo(f"run {run}: {why}")


@app.command()
def runs(config: Config = None, json_: Json = False) -> None:
    """The runs, newest first."""
    from bot.terminal import list_runs

    list_runs(_store(_settings(config)), json_)


@app.command()
def show(run: str, config: Config = None, json_: Json = False) -> None:
    """What a run did, from its journal."""
    from bot.terminal import show_run

    store = _store(_settings(config))
    show_run(store, _known(store, run), json_)


@journal.command("verify")
def journal_verify(
    run: Annotated[str | None, typer.Argument()] = None, config: Config = None, json_: Json = False
) -> None:
    """Check the chains, and name the first broken entry."""
    from bot.terminal import verify_journals

    raise typer.Exit(verify_journals(_store(_settings(config)), run, json_))


@app.command()
def doctor(config: Config = None, json_: Json = False) -> None:
    """Check tokens, scopes, Docker, Postgres, archive, backups, worker, clock, and say what to do."""
    from bot import doctor as words
    from bot.terminal import show_findings
    from workers import doctor as hands

    settings = _settings(config)
    store = _store(settings)
    raise typer.Exit(show_findings([*words.check(settings), *hands.check(settings, store)], json_))


def _settings(config: Path | None) -> Settings:
    import tomllib

    from pydantic import ValidationError

    from actions.engine.errors import Refused
    from actions.settings import Settings

    path = config or Path(os.environ.get("MAYDAY_CONFIG", "mayday.toml"))
    try:
        given: dict[str, Any] = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise Refused(
            f"There is no settings file {path}.",
            hint="Write one (docs/configuration.md), or give --config; to try Mayday without any: mayday lab up",
        ) from None
    except tomllib.TOMLDecodeError as wrong:
        raise Refused(f"{path} cannot be read.", detail=str(wrong), hint="Mend that line.") from None
    for name, variable in _SECRETS.items():
        if variable in os.environ:
            given.setdefault("slack", {})[name] = os.environ[variable]
    given |= {
        key: os.environ[f"MAYDAY_{key.upper()}"] for key in ("store", "redis") if f"MAYDAY_{key.upper()}" in os.environ
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as wrong:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong.errors())
        raise Refused(f"{path} is not right.", detail=said, hint="docs/configuration.md lists every setting.") from None


def _store(settings: Settings) -> Store:
    from actions.engine.store import Store

    return Store(settings.store, _clock)


def _loop(settings: Settings, store: Store) -> Any:
    from actions.catalog import find
    from workers.execute import Loop
    from workers.service import owner_name
    from workers.workshop import DockerWorkshop

    workshop = DockerWorkshop(store, settings.site.site(), settings.site.docker_host)
    return Loop(store, find, workshop, owner_name(_clock()))


def _errands(store: Store) -> Any:
    from actions.catalog import find
    from workers.errands import ErrandWorkshop
    from workers.execute import Loop
    from workers.service import owner_name

    return Loop(store, find, ErrandWorkshop(), f"{owner_name(_clock())}:errands", away_seconds=15)


def _known(store: Store, run: str) -> str:
    from actions.engine.errors import Refused

    if not store.entries(run):
        raise Refused(f"There is no run {run}.", hint="mayday runs lists them.")
    return run


def _ring(settings: Settings) -> Callable[[str], object]:
    from workers.doorbell import ring

    return lambda run: ring(settings.redis.get_secret_value(), settings.site.name, run)


def _clock() -> datetime:
    return datetime.now(UTC)


def _stopped() -> threading.Event:
    import signal

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _logging() -> None:
    import logging

    import structlog

    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shown = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[structlog.processors.add_log_level, stamp, structlog.processors.format_exc_info, shown],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(format="%(asctime)s %(levelname)-8s %(name)s %(message)s", level=logging.INFO)
    for noisy in ("slack_bolt", "slack_sdk", "httpx", "rq"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def main() -> None:
    """Run a command; errors are for people, tracebacks only with --debug."""
    from actions.engine.errors import RecoveryError

    try:
        app()
    except RecoveryError as trouble:
        if "--debug" in sys.argv:
            raise
        if "--json" in sys.argv:
            sys.stdout.write(json.dumps(trouble.as_json()) + "\n")
        else:
            parts = (trouble.message, trouble.detail, trouble.hint)
            sys.stderr.write("\n".join(part for part in parts if part) + "\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
