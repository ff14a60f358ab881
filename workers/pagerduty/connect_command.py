"""Commands of the terminal that need PagerDuty alone, and no site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.pagerduty.webhook_subscription import connect

pagerduty = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@pagerduty.callback()
def _about() -> None:
    """Have PagerDuty tell the bot of incidents."""


@pagerduty.command("connect")
def pagerduty_connect(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(help="Where PagerDuty reaches the bot: https://HOST/pagerduty/webhook")],
    renew: Annotated[bool, typer.Option("--renew", help="A new one, with a new secret, instead of the old.")] = False,
    service: Annotated[str, typer.Option("--service", help="The incidents of this service id alone.")] = "",
    config: Annotated[Path | None, typer.Option("--config", help="The settings file; else $MAYDAY_CONFIG.")] = None,
) -> None:
    """Have PagerDuty tell an address of incidents, and keep the secret."""
    settings = ctx.obj["terminal"].settings(config)
    connect(settings.pagerduty, url, typer.echo, renew=renew, service=service)
