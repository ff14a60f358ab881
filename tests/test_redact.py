"""Secrets never pass."""

from __future__ import annotations

import pytest

from actions.redact import excerpt, redact

SECRET = "s3cr3t-Value"


@pytest.mark.parametrize("text", [
    f"postgresql://app:{SECRET}@db:5432/x", f"redis://:{SECRET}@queue/0", f"postgres://app:{SECRET}@{SECRET}@db/x",
    f"PGPASSWORD={SECRET} psql", f"password={SECRET} host=db", f"password='{SECRET} {SECRET}' host=db",
    f"ALTER ROLE app PASSWORD '{SECRET}'", f"alter role app password E'{SECRET}''{SECRET}'", f"--password {SECRET} run",
    f'{{"slack_token": "{SECRET}"}}', f"HASURA_GRAPHQL_ADMIN_SECRET: {SECRET}", f"Authorization: Bearer {SECRET}",
    f"api_key = {SECRET}", f"AWS_SECRET_ACCESS_KEY={SECRET}", f"https://hooks.slack.com/services/T0/B0/{SECRET}",
    f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
    f"primary_conninfo = 'host=a password={SECRET}'",
])  # fmt: skip
def test_a_secret_is_hidden_wherever_it_stands(text: str) -> None:
    assert SECRET not in redact(text)
    assert "[hidden]" in redact(text)


@pytest.mark.parametrize("text", ["xoxb-1234-abcdEFGH", "xapp-1-A0-12-ffff", "xoxe.xoxp-1-abc", "AKIAABCDEFGHIJKLMNOP"])
def test_a_token_is_hidden_without_a_name_before_it(text: str) -> None:
    assert redact(f"said {text}, then left") == "said [hidden], then left"


@pytest.mark.parametrize("text", [
    "FATAL:  could not open file \"pg_wal/000000010000000000000003\"", "http://127.0.0.1:8080/healthz said 503",
    "FATAL:  password authentication failed for user \"app\"", "invalid record length at 0/587C630: wanted 24, got 0",
])  # fmt: skip
def test_what_a_person_needs_stays(text: str) -> None:
    assert redact(text) == text


def test_an_excerpt_keeps_the_end_and_hides_before_it_cuts() -> None:
    short = excerpt("x" * 5000 + f" password={SECRET}", limit=30)
    assert SECRET not in short
    assert short.startswith("… ")
