"""The questions of the first start in their order, from options and from the person at the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import available_timezones

from slack_sdk import WebClient

from actions.engine.errors import Refused
from actions.settings.outside import SlackSettings
from actions.settings.site import SiteSettings
from actions.stack import manual
from bot.first_start import slack_answers
from bot.first_start.answers import SLACK_URL, ServerTold, SlackTold, TerminalUser, Told
from bot.first_start.interview import InitQuestion, Interview
from bot.first_start.people_found import NamedPerson, PeopleOfSlack
from bot.first_start.slack_answers import ChannelFound, Workspace
from bot.slack.client import client_for

_SITE = SiteSettings()
_LOGIN = re.compile(r"[a-z][a-z0-9_.-]{0,30}")


@dataclass(frozen=True)
class InitAnswers:
    """What options and variables said before anything is asked; None is what nobody said."""

    slack: bool = True
    slack_url: str = SLACK_URL
    bot_token: str | None = None
    app_token: str | None = None
    channel: str | None = None
    operators: str | None = None
    approvers: str | None = None
    container: str | None = None
    database: str | None = None
    archive: str | None = None
    bases: str | None = None
    writers: str | None = None
    zone: str | None = None
    redis: str | None = None
    users: str | None = None

    @property
    def url(self) -> str:
        """Where the Web API is, as the SDK wants it."""
        return f"{self.slack_url.rstrip('/')}/"


def asked(
    talk: Interview, given: InitAnswers, opened: Callable[[SlackSettings], WebClient] = client_for
) -> Told | None:
    """All answers; None where options did not give some, and `talk` says which."""
    people: PeopleOfSlack | None = None
    slack: SlackTold | None = None
    if given.slack:
        talk.heading("Slack")
        workspace = _workspace(talk, given, opened)
        people = PeopleOfSlack(workspace.client) if workspace else None
        slack = _slack(talk, given, workspace, people)
    talk.heading("PostgreSQL")
    server = _server(talk, given)
    talk.heading("This host")
    zone = talk.ask(InitQuestion("Time zone of your operations", "--zone", "UTC"), given.zone, _zone)
    redis = talk.ask(InitQuestion("Redis for the queue", "--redis", "redis://127.0.0.1:6379/0"), given.redis, _redis)
    who = InitQuestion("Who may use the terminal (login, or login=name in Slack; commas)", "--terminal")
    users = talk.ask(who, given.users, lambda said: _users(said, people, needed=not given.slack))
    if talk.problems or server is None or zone is None or redis is None or users is None:
        return None
    return Told(zone, server, redis, slack, users)


def _workspace(talk: Interview, given: InitAnswers, opened: Callable[[SlackSettings], WebClient]) -> Workspace | None:
    question = InitQuestion("Bot token (xoxb-…)", "SLACK_BOT_TOKEN", hidden=True)
    at = SlackSettings(base_url=given.url)
    found = talk.ask(question, given.bot_token, lambda said: slack_answers.bot_token(said, at, opened))
    if found is not None:
        talk.say(f"  @{found.bot} in {found.team}")
        if found.missing:
            talk.say(
                f"  Scopes are missing: {', '.join(found.missing)}. Take over manifest.yml, install the app again."
            )
    return found


def _slack(
    talk: Interview, given: InitAnswers, workspace: Workspace | None, people: PeopleOfSlack | None
) -> SlackTold | None:
    if workspace is None or people is None:
        return None
    app = InitQuestion("App-level token (xapp-…)", "SLACK_APP_TOKEN", hidden=True)
    app_token = talk.ask(app, given.app_token, lambda said: slack_answers.app_token(said, workspace))
    if app_token is not None:
        talk.say("  Socket Mode can be opened.")
    where = InitQuestion("Channel for incidents and recoveries, by name or id", "--channel", "#ops-emergency")
    channel = talk.ask(where, given.channel, lambda said: slack_answers.channel(said, workspace))
    if channel is not None:
        talk.say(_told(channel, workspace))
    ask = InitQuestion("Who may ask for recoveries (names, @handles or ids; commas)", "--operators")
    operators = talk.ask(ask, given.operators, lambda said: _somebody(said, people))
    _say_named(talk, operators)
    approve = InitQuestion("Who may approve them (the same)", "--approvers")
    approvers = talk.ask(approve, given.approvers, lambda said: _somebody(said, people))
    _say_named(talk, approvers)
    if app_token is None or channel is None or operators is None or approvers is None:
        return None
    if _alone(operators, approvers):
        talk.say("  One person alone can approve nothing that they asked for: name a second one, now or in the file.")
    token = workspace.client.token or ""
    return SlackTold(token, app_token, channel.id, channel.name, operators, approvers, given.url)


def _told(channel: ChannelFound, workspace: Workspace) -> str:
    if channel.member:
        return f"  #{channel.name} ({channel.id})"
    return f"  #{channel.name} ({channel.id}). The bot is not in it yet: write there /invite @{workspace.bot}"


def _say_named(talk: Interview, named: NamedPerson | None) -> None:
    if named is not None:
        talk.say(f"  {named}")


def _somebody(said: str, people: PeopleOfSlack) -> NamedPerson:
    found = people.named(said)
    if not found.people and not found.groups:
        raise Refused(
            "Nobody was named.",
            code="MD-CMD-047",
            hint="An empty list lets nobody in. Give names as in Slack, commas between.",
        )
    return found


def _alone(operators: NamedPerson, approvers: NamedPerson) -> bool:
    return not (operators.groups or approvers.groups) and len({*operators.people, *approvers.people}) < 2


def _server(talk: Interview, given: InitAnswers) -> ServerTold | None:
    container = talk.ask(InitQuestion("Its container", "--container", _SITE.postgres), given.container, _name)
    database = talk.ask(
        InitQuestion("The database that people mean", "--database", _SITE.database), given.database, _word
    )
    archive = talk.ask(
        InitQuestion("The WAL archive, as the container sees it", "--archive", _SITE.archive), given.archive, _folder
    )
    bases = talk.ask(
        InitQuestion("The base backups, as the container sees them", "--bases", _SITE.bases), given.bases, _folder
    )
    usual = ", ".join(_SITE.writers) if container == manual.POSTGRES else ""
    write = InitQuestion("Containers that write into it, paused for a cut-over (commas)", "--writers", usual)
    writers = talk.ask(write, given.writers, lambda said: tuple(map(_name, _listed(said))))
    if container is None or database is None or archive is None or bases is None or writers is None:
        return None
    return ServerTold(container, database, archive, bases, writers)


def _users(said: str, people: PeopleOfSlack | None, *, needed: bool) -> tuple[TerminalUser, ...]:
    found = []
    for one in _listed(said):
        login, _, name = (part.strip() for part in one.partition("="))
        if not _LOGIN.fullmatch(login):
            raise Refused(
                f"'{login[:40]}' is no login name.",
                code="MD-CMD-048",
                hint="Write the login on this host: ana, or ana=Ana Berg",
            )
        if name and people is None:
            raise Refused(
                f"Without Slack nobody is looked up: '{name[:40]}'.",
                code="MD-CMD-049",
                hint="Write the login names alone.",
            )
        who = people.one(name) if name and people else None
        found.append(TerminalUser(login, who.id if who else "", who.name if who else ""))
    if twice := next(
        (a for a in found if sum(b.login == a.login or a.slack == b.slack != "" for b in found) > 1), None
    ):
        raise Refused(
            f"{twice.login} is there twice, as login or as person of Slack.",
            code="MD-CMD-050",
            hint="Name each person once.",
        )
    if needed and not found:
        raise Refused(
            "Without Slack somebody has to use the terminal.", code="MD-CMD-051", hint="Write login names of this host."
        )
    return tuple(found)


def _listed(said: str) -> list[str]:
    return [part.strip() for part in said.split(",") if part.strip()]


def _zone(said: str) -> str:
    if said not in available_timezones():
        raise Refused(
            f"'{said[:60]}' is no time zone.", code="MD-CMD-052", hint="Write for example Europe/Berlin or UTC."
        )
    return said


def _redis(said: str) -> str:
    if not re.match(r"(rediss?|unix)://\S+$", said):
        raise Refused(
            "That is no address of a Redis.",
            code="MD-CMD-053",
            hint="Write redis://127.0.0.1:6379/0, or with its password.",
        )
    return said


def _name(said: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", said):
        raise Refused(
            f"'{said[:60]}' is no name of a container.",
            code="MD-CMD-054",
            hint="docker ps tells them, in its last column.",
        )
    return said


def _word(said: str) -> str:
    if not said or not said.isprintable() or len(said) > 63:
        raise Refused("That is no name of a database.", code="MD-CMD-055", hint="psql -l lists them.")
    return said


def _folder(said: str) -> str:
    if not re.fullmatch(r"/[A-Za-z0-9_./-]+", said) or said.rstrip("/") == "":
        raise Refused(
            f"'{said[:60]}' is no folder for it.",
            code="MD-CMD-056",
            hint="Write it from the top, as the container sees it: /backups/postgres/wal",
        )
    return said.rstrip("/")
