"""What psql prints for several queries in one session, read back."""

from __future__ import annotations

from workers.postgres.sql_session import SessionAnswer, last_words, session_answers, session_script

MARK = "mayday.0123"


def test_every_answer_is_found_whatever_its_value_and_an_error_is_one() -> None:
    printed = (
        '[{"a" : 1}, \n {"a" : 2}]\nmayday.0123 00000 \nmayday.0123\n'
        'mayday.0123 42P01 relation "nowhere" does not exist\nand more\nmayday.0123\n'
        '{"b" : "mayday.0123"}\nmayday.0123 00000 relation "nowhere" does not exist\nand more\nmayday.0123\n'
    )
    assert list(session_answers(printed, MARK)) == [
        SessionAnswer('[{"a" : 1}, \n {"a" : 2}]'),
        SessionAnswer("", "42P01", 'relation "nowhere" does not exist\nand more'),
        SessionAnswer('{"b" : "mayday.0123"}'),
    ]


def test_answers_end_where_the_connection_did() -> None:
    assert list(session_answers('1\nmayday.0123 00000 \nmayday.0123\n{"half', MARK)) == [SessionAnswer("1")]
    assert list(session_answers("", MARK)) == []


def test_what_is_said_of_the_end_is_not_mixed_with_errors_before_it() -> None:
    assert (
        last_words("ERROR: 57014: too late\nmayday.0123\nFATAL: 57P01: ends\nlost\n", MARK)
        == "FATAL: 57P01: ends\nlost\n"
    )
    assert last_words("FATAL: nobody there\n", MARK) == "FATAL: nobody there\n"


def test_each_query_is_asked_on_its_own_under_what_is_left_of_the_limit() -> None:
    script = session_script(["SELECT 1 -- one", "SELECT 2"], 2.5, MARK)
    assert script.count("+ 2500 AS mayday_until") == 1
    assert script.count("greatest(500, :mayday_until") == 2
    assert "\nSELECT 1 -- one\n;\n" in script
