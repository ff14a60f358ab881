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
        f"DB_PASS={SECRET}",
        f"pwd: {SECRET}",
        f"AccountName=a;AccountKey={SECRET}==",
        f"mysqldump -h db -p{SECRET} app",
        f"sshpass -p {SECRET} ssh db",
        f"redis-cli -h cache -a {SECRET} ping",
        f"requirepass {SECRET}",
        f"127.0.0.1:6379> AUTH app {SECRET}",
        f"CREATE USER a IDENTIFIED BY '{SECRET}'",
        f"https://x.blob.core.windows.net/c?sv=1&sig={SECRET}",
        f"https://s3/x?X-Amz-Signature={SECRET}&x=1",
        f"in .pgpass:\ndb.internal:5432:*:app:{SECRET}\nand no more",
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
        "pypi-AgEIcHlwaS5vcmcCJDU4",
        "dop_v1_0123456789abcdef0123456789abcdef",
        "hf_abcdefghijklmnopqrstuvwxyz",
        "shpat_0123456789abcdef0123456789abcdef",
        "ya29.a0AfH6SMBabcdefghijklmnop",
        "dckr_pat_abcdefghijklmnopqrstuvwxy",
        "abcdefghijklmn.atlasv1.abcdefghijklmnopqrstuvwxyz0123",
        "AGE-SECRET-KEY-1QQPQXRGF9ABCDEFGHIJKLMNOP",
        "SCRAM-SHA-256$4096:abcd+/efgh==$ijkl:mnop=",
        "md50123456789abcdef0123456789abcdef",
        "lin_api_abcdefghijklmnopqrstuvwxyz",
        "u+abcdefghijklmnopqr",
        "NRAK-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "ATATT3xFfGF0abcdefghijklmnop",
        "sntrys_eyJpYXQiOjE2MDAwMDAw",
        "sbp_0123456789abcdef0123456789abcdef01234567",
        "glsa_abcdefghijklmnopqrstuvwxyz_01234567",
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
        "mysql -h db -p -P 3306 app",
        "psql -p 5432 -U app",
        "AUTH failed on the second try? AUTH is away",
        "127.0.0.1:5432:5432",
        "14:30:12:345:678",
        "fe80:0418:abcd:1:5:6:7:8",
        "identified as the cause: a full disk",
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
