"""Stand-in for Hasura: answers the simple GraphQL queries `table { columns }` and `table_aggregate` from Postgres."""

from __future__ import annotations

import re

import psycopg
from psycopg import sql

from lab.standins.db import Database
from lab.standins.web import Answer, BadRequest, Request, as_json, routed, serve

_LIMIT = 100

_database = Database("hasura")
_health = Database("hasura-health")

_FIELD = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*(?:\((?P<arguments>[^)]*)\))?\s*\{(?P<body>(?:[^{}]|\{[^{}]*\})*)\}")
_LIMIT_ARGUMENT = re.compile(r"limit\s*:\s*(\d+)")


def graphql(request: Request) -> Answer:
    """Answers in GraphQL's shape: problems of a query are `errors` with status 200."""
    query = str(request.json().get("query", ""))
    inner = re.search(r"\{(.*)\}", query, re.DOTALL)
    if inner is None:
        raise BadRequest("a query looks like: query { nchat_channels(limit: 3) { id name } }")
    try:
        fields = [_answer_field(found) for found in _FIELD.finditer(inner.group(1))]
    except psycopg.errors.ProgrammingError as problem:
        return as_json({"errors": [{"message": problem.diag.message_primary or str(problem)}]})
    return as_json({"data": dict(fields)})


def _answer_field(found: re.Match[str]) -> tuple[str, object]:
    name = found["name"]
    if name.endswith("_aggregate"):
        return name, {"aggregate": {"count": _count(name.removesuffix("_aggregate"))}}
    limit = _LIMIT_ARGUMENT.search(found["arguments"] or "")
    return name, _rows(name, re.findall(r"\w+", found["body"]), int(limit[1]) if limit else _LIMIT)


def _count(table: str) -> int:
    with _database.use() as connection:
        counted = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return int(counted[0]) if counted else 0


def _rows(table: str, columns: list[str], limit: int) -> list[dict[str, object]]:
    statement = sql.SQL("SELECT {} FROM {} ORDER BY 1 DESC LIMIT {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table), sql.Literal(min(limit, _LIMIT))
    )
    with _database.use() as connection:
        rows = connection.execute(statement).fetchall()
    plain = [[value if isinstance(value, int | None) else str(value) for value in row] for row in rows]
    return [dict(zip(columns, row, strict=True)) for row in plain]


def health(_: Request) -> Answer:
    fine = _health.answers()
    return Answer(200 if fine else 500, b"OK\n" if fine else b"ERROR: no database\n")


_ROUTES = routed({("POST", "/v1/graphql"): graphql, ("GET", "/healthz"): health})


def handle(request: Request) -> Answer:
    try:
        return _ROUTES(request)
    except psycopg.Error as problem:
        return as_json({"errors": [{"message": f"postgres: {problem}"}]}, 503)


if __name__ == "__main__":
    serve("hasura", 8080, handle)
