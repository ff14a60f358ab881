"""Who sits at the terminal, and where the secrets of their codes lie."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyotp
import pytest
from pydantic import ValidationError

from actions.engine.errors import Refused
from actions.settings.people import Operator, OperatorSettings
from bot.terminal.code_secrets import Keys
from bot.terminal.context import Caller
from bot.terminal.operators import login_of, named, operator_of, person_of, real_uid
from tests.support.paths import ROOT, TESTS
from tests.support.terminal_world import Terminal

ANA = Operator(id="ana", name="Ana", os_users=("ana", "1001"), slack="U0ANA", may_approve=True)
BO = Operator(id="bo", name="Bo", os_users=("bo",))
SETTINGS = OperatorSettings(people=(ANA, BO))
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGINS = {0: "root", 1001: "ana", 1002: "bo", 1003: "cy"}


def sits(uid: int, sudo_uid: str = "") -> str:
    return operator_of(SETTINGS, Caller(uid, sudo_uid), lambda uid: LOGINS.get(uid, "")).id


def test_an_operator_is_known_by_login_or_by_number() -> None:
    assert sits(1001) == "ana"
    assert sits(1002) == "bo"
    lonely = OperatorSettings(people=(ANA.model_copy(update={"os_users": ("30001",)}),))
    assert operator_of(lonely, Caller(30001), lambda uid: "").id == "ana"


def test_root_is_nobody_unless_named_and_under_sudo_it_is_whoever_called_it() -> None:
    with pytest.raises(Refused, match=r"root \(0\) may not") as refused:
        sits(0)
    assert "root has no rights by being root" in refused.value.detail
    assert sits(0, "1002") == "bo"
    with pytest.raises(Refused):
        sits(0, "1003")


def test_a_time_that_an_operator_types_is_read_in_their_own_zone_too() -> None:
    there = ANA.model_copy(update={"zone": "Asia/Tokyo"})
    assert person_of(there).zone == "Asia/Tokyo"
    assert person_of(ANA).zone is None
    with pytest.raises(ValidationError, match="is no time zone; write for example Europe/Berlin"):
        Operator(id="cy", name="Cy", os_users=("cy",), zone="Tokio")


@pytest.mark.parametrize("given", ["", "bo", "-1", "1002 ", "٣"])
def test_what_is_no_user_id_is_not_believed(given: str) -> None:
    assert real_uid(Caller(0, given)) == 0


def test_a_variable_makes_nobody_somebody_else() -> None:
    """Anybody can set SUDO_UID in their own shell."""
    assert sits(1001, sudo_uid="1002") == "ana"
    with pytest.raises(Refused):
        sits(1003, sudo_uid="1001")


def test_a_user_named_for_two_by_login_and_by_number_is_refused() -> None:
    both = OperatorSettings(people=(ANA, BO.model_copy(update={"os_users": ("30001",)})))
    with pytest.raises(Refused, match="named for ana and bo"):
        operator_of(both, Caller(30001), lambda uid: "ana")


@pytest.mark.parametrize("twin", [{"id": "ana"}, {"slack": "U0ANA"}, {"os_users": ("x", "ana")}])
def test_no_two_operators_share_an_id_a_slack_user_or_a_login(twin: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="two operators have the same"):
        OperatorSettings(people=(ANA, BO.model_copy(update=twin)))


@pytest.mark.parametrize("id", ["", "Ana", "../ana", "a/b", "ana.totp/..", "a" * 40])
def test_an_id_is_a_safe_file_name(id: str) -> None:
    with pytest.raises(ValidationError):
        Operator(id=id, name="Ana", os_users=("ana",))


def test_who_has_a_slack_user_is_that_person_everywhere_and_others_look_like_none() -> None:
    assert (ANA.person, BO.person) == ("U0ANA", "operator:bo")
    found = named(SETTINGS, "operator:bo")
    assert found is not None
    assert found.speaker.name == "Bo"
    assert named(SETTINGS, "U0NOBODY") is None
    assert login_of(os.getuid()) or os.getuid()
    assert login_of(4_000_000) == ""


# Secrets ---------------------------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys", os.getuid())


def test_a_secret_is_kept_for_its_owner_alone_and_never_replaced(keys: Keys) -> None:
    assert keys.enrolled(ANA) is False
    keys.keep(ANA, SECRET)
    assert keys.path(ANA).stat().st_mode & 0o777 == 0o600
    assert keys.folder.stat().st_mode & 0o7777 == 0o1733
    assert (keys.secret(ANA), keys.enrolled(ANA)) == (SECRET, True)
    with pytest.raises(Refused, match="has one-time codes already"):
        keys.keep(ANA, SECRET[::-1])
    assert keys.secret(ANA) == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_secret_that_others_could_read_or_write_is_not_used(keys: Keys, mode: int) -> None:
    keys.keep(ANA, SECRET)
    keys.path(ANA).chmod(mode)
    with pytest.raises(Refused, match="cannot be used"):
        keys.secret(ANA)


def test_neither_a_link_nor_a_folder_nor_a_pipe_is_a_secret(keys: Keys, tmp_path: Path) -> None:
    keys.keep(ANA, SECRET)
    (keys.folder / "bo.totp").symlink_to(keys.path(ANA))
    with pytest.raises(Refused, match="cannot be used"):
        keys.secret(BO)
    (keys.folder / "bo.totp").unlink()
    os.mkfifo(keys.folder / "bo.totp", 0o600)
    with pytest.raises(Refused, match="cannot be used"):
        keys.secret(BO)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_secret_that_somebody_else_laid_there_is_not_used(keys: Keys) -> None:
    keys.keep(ANA, SECRET)
    os.chown(keys.path(ANA), 30002, -1)
    with pytest.raises(Refused, match="cannot be used"):
        replace(keys, uid=30001).secret(ANA)


@pytest.mark.parametrize("text", ["", "short", "JBSWY3DPEHPK3PXP1JBSWY3DPEHPK3PX", "ÿ" * 40])
def test_a_file_with_anything_else_in_it_is_not_used(keys: Keys, text: str) -> None:
    keys.keep(ANA, text)
    with pytest.raises(Refused, match="cannot be used"):
        keys.secret(ANA)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot be written") as refused:
        Keys(tmp_path / "file" / "keys", 1).keep(ANA, SECRET)
    assert "install -d -m 1733" in refused.value.hint


@pytest.mark.parts
def test_somebody_enrols_with_a_first_code_which_is_used_up_by_it(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    refused = terminal.type("bo", "operator", "enrol", stdin="000000\n")
    assert "is wrong" in refused.exception.message
    assert not (tmp_path / "keys" / "bo.totp").exists()
    secret = enrolled(terminal)
    assert (tmp_path / "keys" / "bo.totp").read_text().strip() == secret
    again = terminal.type("bo", "operator", "enrol", stdin="123456\n")
    assert "already" in again.exception.message
    listed = {o["id"]: o["enrolled"] for o in terminal.json("ana", "operator", "list")}
    assert listed == {"ana": False, "bo": True, "cy": False}
    assert secret not in terminal.typed("ana", "operator", "list").stdout


def enrolled(terminal: Terminal) -> str:
    """Enrol as a person does who reads the secret before the code is asked for: over a pipe."""
    import subprocess
    import sys

    with subprocess.Popen(
        [sys.executable, str(TESTS / "support/terminal_process.py"), str(terminal.folder), "bo", "operator", "enrol"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdin
        assert process.stdout
        line = next(line for line in process.stdout if line.startswith("secret: "))
        secret = line.removeprefix("secret: ").strip()
        process.stdin.write(pyotp.TOTP(secret).now() + "\n")
        process.stdin.close()
        said = process.stdout.read()
    assert process.returncode == 0
    assert "Bo is enrolled." in said
    return secret
