"""Secrets never pass."""

from __future__ import annotations

import time

import pytest

from actions.redact import MOST, excerpt, redact

SECRET = "s3cr3t-Value"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://app:{SECRET}@db:5432/x",
        f"redis://:{SECRET}@queue/0",
        f"postgres://app:{SECRET}@{SECRET}@db/x",
        f"PGPASSWORD={SECRET} psql",
        f"password={SECRET} host=db",
        f"password='{SECRET} {SECRET}' host=db",
        f"ALTER ROLE app PASSWORD '{SECRET}'",
        f"alter role app password E'{SECRET}''{SECRET}'",
        f"--password {SECRET} run",
        f'{{"slack_token": "{SECRET}"}}',
        f"HASURA_GRAPHQL_ADMIN_SECRET: {SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"api_key = {SECRET}",
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
        f"https://hooks.slack.com/services/T0/B0/{SECRET}",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
        f"primary_conninfo = 'host=a password={SECRET}'",
        f"X-Api-Key: {SECRET}",
        f"curl -u app:{SECRET} https://x",
        f"curl --user='app:{SECRET}' x",
        f"Cookie: session={SECRET}; theme={SECRET}",
        f"Set-Cookie: sid={SECRET}; Path=/",
        f"password='{SECRET} was cut off",
        f'{{"my-api-key":"{SECRET}"}}',
        f"authorization: digest {SECRET}",
        f"the-secret-name={SECRET}",
        f"postgres://x:{'a' * 300}{SECRET}@db",
    ],
)
def test_a_secret_is_hidden_wherever_it_stands(text: str) -> None:
    assert SECRET not in redact(text)
    assert "[hidden]" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "xoxb-1234-abcdEFGH",
        "xapp-1-A0-12-ffff",
        "xoxe.xoxp-1-abc",
        "AKIAABCDEFGHIJKLMNOP",
        "sk_live_abcdefghijklmnop",
        "AIza" + "b" * 35,
        "glpat-abcdefghijklmnopqrst",
        "hvs.abcdefghijklmnopqrstuvwx",
        "sk-proj-abcdefghijklmnopqrstuv",
    ],
)
def test_a_token_is_hidden_without_a_name_before_it(text: str) -> None:
    assert redact(f"said {text}, then left") == "said [hidden], then left"


@pytest.mark.parametrize(
    "text",
    [
        'FATAL:  could not open file "pg_wal/000000010000000000000003"',
        "http://127.0.0.1:8080/healthz said 503",
        'FATAL:  password authentication failed for user "app"',
        "invalid record length at 0/587C630: wanted 24, got 0",
    ],
)
def test_what_a_person_needs_stays(text: str) -> None:
    assert redact(text) == text


def test_an_excerpt_keeps_the_end_and_hides_before_it_cuts() -> None:
    short = excerpt("x" * 5000 + f" password={SECRET}", limit=30)
    assert SECRET not in short
    assert short.startswith("… ")


def test_of_an_endless_text_the_end_is_looked_at_from_a_whole_line_on() -> None:
    """The line that was cut could begin in the middle of a secret, of which nothing tells any more that it is one."""
    text = f"password={SECRET}" + "z" * (MOST - 20) + "\nthe last line"
    assert redact(text) == "… the last line"


@pytest.mark.parametrize(
    "text",
    [
        "secret-" * 1142,
        "a.a" * 30_000,
        "password='" * 9000,
        "eyJ-" * 20_000,
        "x" * 10**7,
        "-----BEGIN " + "A " * 40_000,
        "token " * 20_000,
        "a://" * 20_000,
    ],
)
def test_whatever_is_written_is_looked_at_in_a_time_that_nobody_notices(text: str) -> None:
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < 1.0
