"""`mayday init`: answers checked against the practice Slack in memory, the files all or none, nothing overwritten."""

from __future__ import annotations

import stat
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.slack_response import SlackResponse

from actions.engine.errors import Refused
from actions.settings.outside import SlackSettings
from actions.settings.settings import Settings
from actions.settings.settings_file import read
from actions.settings.variables import variables, variables_file
from bot.first_start import slack_answers
from bot.first_start.answers import ServerTold, Told, settings_text, variables_text
from bot.first_start.interview import Interview
from bot.first_start.questions import InitAnswers, asked
from bot.first_start.server_lines import archive_script, compose_lines
from bot.first_start.written_files import FileDraft, refuse_existing, write_all
from bot.slack import slack_doctor
from lab.slack import webapi
from lab.slack.calls import Call
from lab.slack.company import MAYDAY, PEOPLE, Channel, Company, User
from lab.slack.world import World

FIRST = InitAnswers(bot_token="xoxb-practice", app_token="xapp-practice", channel="#ops-emergency")
WHOLE = replace(FIRST, operators="Olga Nowak, @approver", approvers="Ada Prewitt, @approvers")
SERVER = ServerTold("db", "shop", "/backups/pg/wal", "/backups/pg/base", ("web",))


class Workspace(WebClient):
    """The practice Slack under the token of its settings; `says` are methods that it refuses, with its word for it."""

    def __init__(self, world: World, settings: SlackSettings, says: dict[str, str]) -> None:
        super().__init__(token=settings.bot_token.get_secret_value())
        self.world, self.says = world, says

    def api_call(self, api_method: str, **sent: Any) -> SlackResponse:  # type: ignore[override]
        args = {**(sent.get("params") or {}), **(sent.get("json") or {}), **(sent.get("data") or {})}
        args = {name: value for name, value in args.items() if value not in (None, "")}
        methods = {**webapi.METHODS, "apps.connections.open": lambda call: {"url": "wss://x"}}
        call = Call(self.world, api_method, args, str(args.get("token") or self.token), 0.0)
        refused = self.says.get(api_method)
        data = {"ok": False, "error": refused} if refused else webapi.carry_out(call, methods)
        answer = SlackResponse(
            client=self,
            http_verb="POST",
            api_url=api_method,
            req_args={},
            data=data,
            headers={"x-oauth-scopes": webapi.SCOPES},
            status_code=200,
        )
        if not data["ok"]:
            raise SlackApiError("refused", answer)  # type: ignore[no-untyped-call]
        return answer


class Typed:
    """A person at the terminal: what they see, and what they type in turn; Ctrl-C where they have nothing more."""

    def __init__(self, *lines: str) -> None:
        self.lines, self.seen = list(lines), list[str]()

    def __call__(self, prompt: str, hidden: bool) -> str:
        self.seen.append(prompt)
        if not self.lines:
            raise KeyboardInterrupt
        return self.lines.pop(0)


@pytest.fixture
def company() -> Company:
    return Company()


Opened = Callable[[SlackSettings], WebClient]


def slack(company: Company, **says: str) -> Opened:
    world = World(company)
    return lambda settings: Workspace(world, settings, {key.replace("__", "."): word for key, word in says.items()})


def by_options(given: InitAnswers, opened: Opened) -> tuple[Told | None, Interview, list[str]]:
    said: list[str] = []
    talk = Interview(said.append)
    return asked(talk, given, opened), talk, said


def test_options_alone_make_settings_that_can_be_read_with_the_secrets_beside_them(
    company: Company, tmp_path: Path
) -> None:
    told, talk, _said = by_options(replace(WHOLE, zone="Europe/Berlin", users="ana=Olga Nowak"), slack(company))
    assert talk.problems == []
    assert told is not None
    file = tmp_path / "mayday.toml"
    drafts = [
        FileDraft(file, settings_text(told, tmp_path)),
        FileDraft(variables_file(file), variables_text(told), 0o600),
    ]
    write_all(drafts, "then")
    said = variables({}, variables_file(file))
    settings = read(file, said.secrets, said.places, said.read_in)
    assert settings.slack.bot_token.get_secret_value() == "xoxb-practice"
    assert settings.slack.app_token.get_secret_value() == "xapp-practice"
    assert settings.slack.channel == "C0OPSEMERG"
    assert settings.people.operators == ("U0ONCALL", "U0APPROVER")
    assert (settings.people.approvers, settings.people.approver_groups) == (("U0APPROVER",), ("S0APPROVERS",))
    assert [(one.id, one.slack, one.may_approve) for one in settings.operators.people] == [("ana", "U0ONCALL", False)]
    assert "xoxb" not in file.read_text()
    assert stat.S_IMODE(variables_file(file).stat().st_mode) == 0o600


def test_a_person_is_asked_again_until_slack_takes_the_answer(company: Company) -> None:
    company.people = (*PEOPLE, User("U0OLGA2", "olga2", "Olga Nowak", title="Accounting"))
    typed = Typed(
        *("xapp-practice", "xoxb-wrong", "xoxb-practice"),
        *("xoxb-practice", "xapp-practice"),
        *("#ops-emergancy", ""),
        *("Olga Nowak", "Gus Evans, Nobody", "@oncall"),
        *("", "Ada Prewitt"),
        *("", "", "", "", "", "", "", "ana"),
    )
    said: list[str] = []
    told = asked(Interview(said.append, typed), InitAnswers(), slack(company))
    assert told is not None
    assert told.slack is not None
    assert [one.id for one in told.slack.operators.people] == ["U0ONCALL"]
    heard = "\n".join(said)
    for words in (
        "That is no bot token.",
        "Slack says: invalid_auth",
        "That is no app-level token.",
        "Did you mean #ops-emergency?",
        "'Olga Nowak' can be 2 people",
        "Accounting",
        "is a guest",
        "Slack knows nobody called 'Nobody'",
        "Nobody was named.",
    ):
        assert words in heard, words


def test_ctrl_c_in_the_middle_leaves_nothing(company: Company, tmp_path: Path) -> None:
    for lines in (0, 1, 2, 3, 5):
        answers = ("xoxb-practice", "xapp-practice", "", "@oncall", "@approver")[:lines]
        with pytest.raises(KeyboardInterrupt):
            asked(Interview(lambda text: None, Typed(*answers)), InitAnswers(), slack(company))
    assert list(tmp_path.iterdir()) == []


def test_without_a_person_all_that_is_wrong_is_told_at_once(company: Company) -> None:
    given = replace(FIRST, app_token="xapp-wrong", channel="nowhere", operators="Zoe", approvers="", zone="Mars")
    told, talk, _said = by_options(replace(given, container="a b", redis="localhost"), slack(company))
    assert told is None
    with pytest.raises(Refused) as refused:
        talk.end()
    lines = [line.split(":")[0] for line in refused.value.detail.splitlines() if line.startswith(("-", "SLACK"))]
    wrong = ["SLACK_APP_TOKEN", "--channel", "--operators", "--approvers", "--container", "--zone", "--redis"]
    assert lines == wrong
    assert "Nothing was written" in refused.value.message


def test_a_channel_without_the_bot_is_told_how_to_invite_it(company: Company) -> None:
    told, _talk, said = by_options(replace(WHOLE, channel="general"), slack(company))
    assert told is not None
    assert any("/invite @mayday" in line for line in said)


def test_an_archived_channel_and_one_that_the_bot_does_not_see_are_refused(company: Company) -> None:
    company.channels.append(Channel("C0PRIVATE", "private", [MAYDAY.id]))
    opened = slack(company)
    workspace = slack_answers.bot_token("xoxb-practice", SlackSettings(), opened)
    assert slack_answers.channel("C0PRIVATE", workspace).member
    with pytest.raises(Refused, match=r"C0NOWHERE was not taken") as refused:
        slack_answers.channel("C0NOWHERE", workspace)
    assert "/invite @Mayday" in refused.value.hint


@pytest.mark.parametrize("code", sorted(slack_answers._DO))
def test_each_error_of_slack_says_what_to_do(company: Company, code: str) -> None:
    with pytest.raises(Refused) as refused:
        slack_answers.bot_token("xoxb-practice", SlackSettings(), slack(company, auth__test=code))
    assert refused.value.detail == f"Slack says: {code}"
    assert "docs.slack.dev" not in refused.value.hint


def test_an_unknown_error_and_a_network_that_is_away_are_told_apart(company: Company) -> None:
    def away(_settings: SlackSettings) -> Any:
        client = Workspace(World(company), SlackSettings(), {})
        client.auth_test = lambda **_more: (_ for _ in ()).throw(ConnectionError("no route"))  # type: ignore[method-assign]
        return client

    with pytest.raises(Refused) as strange:
        slack_answers.bot_token("xoxb-practice", SlackSettings(), slack(company, auth__test="odd_thing"))
    assert "docs.slack.dev" in strange.value.hint
    with pytest.raises(Refused) as network:
        slack_answers.bot_token("xoxb-practice", SlackSettings(), away)
    assert "network" in network.value.hint


def test_a_workspace_without_paid_groups_is_no_obstacle(company: Company) -> None:
    opened = slack(company, usergroups__list="paid_teams_only")
    told, talk, _said = by_options(replace(WHOLE, approvers="@approver, U0DBA"), opened)
    assert talk.problems == []
    assert told is not None
    assert told.slack is not None
    assert [one.id for one in told.slack.approvers.people] == ["U0APPROVER", "U0DBA"]


def test_one_person_alone_is_told_to_name_a_second_one(company: Company) -> None:
    _told, _talk, said = by_options(replace(WHOLE, operators="@dba", approvers="@dba"), slack(company))
    assert any("name a second one" in line for line in said)


def test_without_slack_people_of_the_terminal_are_needed_and_suffice(company: Company, tmp_path: Path) -> None:
    told, talk, _said = by_options(InitAnswers(slack=False), slack(company))
    assert told is None
    assert [line.split(":")[0] for line in talk.problems] == ["--terminal"]
    told, talk, _said = by_options(InitAnswers(slack=False, users="ana, bo"), slack(company))
    assert talk.problems == []
    assert told is not None
    assert variables_text(told) == ""
    settings = Settings.model_validate(tomllib.loads(settings_text(told, tmp_path)))
    assert [(one.id, one.may_approve) for one in settings.operators.people] == [("ana", True), ("bo", True)]


def test_a_redis_with_a_password_stands_among_the_secrets(company: Company, tmp_path: Path) -> None:
    told = Told("UTC", SERVER, "redis://mayday:geheim@127.0.0.1:6379/0")
    assert "geheim" not in settings_text(told, tmp_path)
    assert "MAYDAY_REDIS=redis://mayday:geheim@127.0.0.1:6379/0" in variables_text(told)


@pytest.mark.parametrize("users", ["root user", "ana,ana", "a=Olga Nowak, b=@oncall", "Ana"])
def test_logins_that_cannot_be_are_refused(company: Company, users: str) -> None:
    told, talk, _said = by_options(replace(WHOLE, users=users), slack(company))
    assert told is None
    assert [line.split(":")[0] for line in talk.problems] == ["--terminal"]


# The files ---------------------------------------------------------------------------------------


def test_a_file_that_is_there_is_never_replaced_unsaid(tmp_path: Path) -> None:
    file = tmp_path / "mayday.toml"
    file.write_text("mine")
    with pytest.raises(Refused, match=r"mayday\.toml is there already"):
        refuse_existing([file], replace=False)
    refuse_existing([file], replace=True)
    kept = write_all([FileDraft(file, "new")], "20261130T190000Z")
    assert kept == [tmp_path / "mayday.toml.20261130T190000Z"]
    assert (kept[0].read_text(), file.read_text()) == ("mine", "new")


def test_the_same_text_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "archive_wal.sh"
    file.write_text("same")
    assert write_all([FileDraft(file, "same")], "then") == []
    assert [path.name for path in tmp_path.iterdir()] == ["archive_wal.sh"]


def test_a_file_that_cannot_be_written_takes_all_others_back(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_text("old")
    (tmp_path / "b.then").mkdir()
    (tmp_path / "b.then" / "full").touch()
    with pytest.raises(Refused, match="Nothing was changed"):
        write_all([FileDraft(tmp_path / "a", "new"), FileDraft(tmp_path / "b", "new")], "then")
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "b.then"]


def test_a_folder_that_is_not_there_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Nothing can be written into"):
        refuse_existing([tmp_path / "none" / "mayday.toml"], replace=True)


# The server's side -------------------------------------------------------------------------------


def test_the_lines_for_the_compose_file_are_one_that_archives(tmp_path: Path) -> None:
    lines = yaml.safe_load(compose_lines(SERVER, tmp_path / "archive_wal.sh"))["services"]["postgres"]
    assert lines["container_name"] == "db"
    given = dict(one.split("=", 1) for one in lines["command"][2::2])
    assert given["archive_mode"] == "on"
    script = given["archive_command"].split()[0]
    assert f"{tmp_path / 'archive_wal.sh'}:{script}:ro" in lines["volumes"]
    assert "./backups/pg:/backups/pg" in lines["volumes"]


def test_folders_that_are_no_neighbours_get_a_mount_each(tmp_path: Path) -> None:
    lines = yaml.safe_load(compose_lines(replace(SERVER, bases="/bases"), tmp_path / "s"))["services"]["postgres"]
    assert {one.split(":")[1] for one in lines["volumes"]} >= {"/backups/pg/wal", "/bases"}


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    made = tmp_path / "segment"
    made.write_text("wal")
    return made


def test_the_script_archives_into_the_folder_of_the_settings_once_it_has_its_mark(
    tmp_path: Path, segment: Path
) -> None:
    folder = tmp_path / "wal"
    folder.mkdir()
    script = tmp_path / "archive_wal.sh"
    script.write_text(archive_script(replace(SERVER, archive=str(folder))))
    command = ["sh", str(script), str(segment), "000000010000000000000001"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1
    (folder / ".archive-id").write_text("7")
    assert subprocess.run(command, check=False).returncode == 0
    assert (folder / "000000010000000000000001").read_text() == "wal"


def test_the_doctor_asks_nothing_of_slack_where_people_use_the_terminal_alone(company: Company, tmp_path: Path) -> None:
    told, _talk, _said = by_options(InitAnswers(slack=False, users="ana"), slack(company))
    assert told is not None
    settings = Settings.model_validate(tomllib.loads(settings_text(told, tmp_path)))
    [found] = slack_doctor.check(settings)
    assert (found.name, found.ok) == ("Slack", True)
    assert slack_doctor.is_wanted(Settings())
