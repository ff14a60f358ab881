"""What integrity checks brought, made whole: in pieces where there are many tables, and twice where files moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actions.engine.errors import RecoveryError
from actions.postgres.integrity import Check, CheckResult
from actions.postgres.integrity_many import in_pieces
from actions.postgres.integrity_sql import FILES
from actions.postgres.server import Server
from actions.tools.sql import QueryResult, Sql, SqlTimeout

Answers = Mapping[str, Sequence[QueryResult]]


def results_of(
    container: str, server: Server, sql: Sql, checks: Sequence[Check], answers: Answers, seconds: float
) -> dict[str, list[CheckResult]]:
    """By database, the results of all checks; what has to be asked once more shares so many seconds."""
    more = {
        (name, check.name): queries
        for name, given in answers.items()
        for check, answer in zip(checks, given, strict=False)
        if (queries := _once_more(check, answer))
    }
    asked = {name: [q for (of, _), queries in more.items() if of == name for q in queries] for name, _ in more}
    told = sql.everywhere(container, server, asked, seconds=seconds) if asked else {}
    rest = {name: list(given) for name, given in told.items()}
    found: dict[str, list[CheckResult]] = {}
    for name, given in answers.items():
        for check, answer in zip(checks, given, strict=False):
            queries = more.get((name, check.name), [])
            pieces = [rest[name].pop(0) for _ in queries]
            found.setdefault(name, []).extend(_results(check, pieces) if queries else [_result(check, answer)])
    return found


def _once_more(check: Check, answer: QueryResult) -> list[str]:
    """Nothing, the pieces of a check, or the same again: a file may be replaced just while it is looked for."""
    if answer.error is not None:
        return []
    if check.sql == FILES and answer.value:
        return [FILES]
    return list(in_pieces(check.sql, answer.value))


def _results(check: Check, pieces: Sequence[QueryResult]) -> list[CheckResult]:
    """What the pieces found together, and the first trouble, so that neither hides the other."""
    values = [answer.value or [] for answer in pieces if answer.error is None]
    troubles = [answer for answer in pieces if answer.error is not None]
    merged = [CheckResult(check.name, [row for value in values for row in value])] if values else []
    return [*merged, *[_result(check, answer) for answer in troubles[:1]]]


def _result(check: Check, answer: QueryResult) -> CheckResult:
    trouble: RecoveryError | None = answer.error
    if trouble is None:
        return CheckResult(check.name, answer.value)
    if isinstance(trouble, SqlTimeout):
        return CheckResult(check.name, finished=False)
    return CheckResult(check.name, error=trouble.detail or trouble.message)
