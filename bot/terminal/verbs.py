"""What changes something, by the words that Slack knows: ask, answer, approve, steer."""

from __future__ import annotations

from typing import Annotated

import typer

from actions.engine.procedure import OptionEffect
from bot.runs import run_control
from bot.terminal.answer_question import Given, answer, approval, open_question
from bot.terminal.carry_on import BACK, GOOD, How, go_on
from bot.terminal.heard_words import heard, steered
from bot.terminal.options import Config, Follow, Foreground, Json
from bot.terminal.session import Session, session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Words = Annotated[list[str] | None, typer.Argument(help="The words as in Slack; alone: what was seen to be lost.")]
Typed = Annotated[str, typer.Option("--type", help="What has to be typed: the plan's hash, another time, a note.")]
OneTime = Annotated[str, typer.Option("--code", help="The one-time code; asked for without it.")]
Alone = Annotated[bool, typer.Option("--alone", help="Break the glass: go on without a second person.")]
Incident = Annotated[str, typer.Option("--incident", help="The incident that it belongs to, by its id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why it cannot wait; it stays on the record.")]


@app.command()
def recover(
    ctx: typer.Context,
    words: Words = None,
    incident: Incident = "",
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Ask for a recovery, in the words of Slack.

    For example: mayday recover postgres pitr 14:30
    """
    with session(ctx, config, json_) as here:
        heard(here, words or [], "recover", How(follow, foreground), incident)


@app.command()
def backup(
    ctx: typer.Context,
    words: Words = None,
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Ask for a backup, in the words of Slack.

    For example: mayday backup run base
    """
    with session(ctx, config, json_) as here:
        heard(here, words or [], "backup", How(follow, foreground))


@app.command()
def window(
    ctx: typer.Context,
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Which moments can be recovered."""
    with session(ctx, config, json_) as here:
        heard(here, ["window"], "recover", How(follow, foreground))


@app.command("answer")
def answer_run(
    ctx: typer.Context,
    run: str,
    label: str,
    typed: Typed = "",
    code: OneTime = "",
    alone: Alone = False,
    reason: Reason = "",
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Answer the question of a run by a label."""
    with session(ctx, config, json_) as here:
        _answered(here, run, label, Given(typed, code, alone, reason), How(follow, foreground))


@app.command()
def approve(
    ctx: typer.Context,
    run: str,
    typed: Typed = "",
    code: OneTime = "",
    alone: Alone = False,
    reason: Reason = "",
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Give the approval of a second person that a run waits for."""
    with session(ctx, config, json_) as here:
        label = approval(run_control.find(here.bot, run))
        _answered(here, run, label, Given(typed, code, alone, reason), How(follow, foreground))


@app.command()
def stop(ctx: typer.Context, run: str, config: Config = None, json_: Json = False, follow: Follow = False) -> None:
    """Stop a run at its next safe place."""
    with session(ctx, config, json_) as here:
        steered(here, "stop", run, How(follow))


@app.command()
def retry(
    ctx: typer.Context,
    run: str,
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Go on after a failure or a stop."""
    with session(ctx, config, json_) as here:
        steered(here, "retry", run, How(follow, foreground))


@app.command()
def undo(
    ctx: typer.Context,
    run: str,
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Take back what a run did."""
    with session(ctx, config, json_) as here:
        steered(here, "undo", run, How(follow, foreground))


def _answered(here: Session, run: str, label: str, given: Given, how: How) -> None:
    question = open_question(run_control.find(here.bot, run))
    entry = answer(here, run, label, given)
    leads = entry.data["leads"] if entry else ""
    here.tell(f"Run {run}: {entry.data['option']}." if entry else f"Run {run}: that was said before.")
    # Another time is asked for by this terminal once the run has ended, so it stays until then.
    how = How(how.follow or leads == OptionEffect.AGAIN, how.foreground)
    back = leads in (OptionEffect.BACK, OptionEffect.AGAIN, OptionEffect.UNDO)
    go_on(here, run, how, BACK if back else GOOD, entry.n if entry else question.n)
