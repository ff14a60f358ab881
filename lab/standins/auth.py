"""Stand-in for the Auth service: signs people in against Postgres, keeps their sessions in Redis."""

from __future__ import annotations

import os
import secrets

import psycopg
import redis

from lab.standins.db import Database
from lab.standins.web import Answer, Request, as_json, routed, serve

_SESSION_SECONDS = 3600

_database = Database("auth")
_sessions = redis.Redis(
    host=os.environ.get("REDIS_HOST", "localhost"), socket_timeout=2, socket_connect_timeout=2, decode_responses=True
)


def sign_in(request: Request) -> Answer:
    asked = request.json()
    found = _database.one(
        "SELECT id::text FROM auth.users WHERE email = %s AND password_hash = crypt(%s, password_hash)",
        str(asked.get("email", "")),
        str(asked.get("password", "")),
    )
    if found is None:
        return as_json({"error": "invalid-email-password"}, 401)
    token = secrets.token_urlsafe(24)
    _sessions.set(f"session:{token}", found[0], ex=_SESSION_SECONDS)
    session = {"accessToken": token, "accessTokenExpiresIn": _SESSION_SECONDS, "user": {"id": found[0]}}
    return as_json({"session": session})


def who_am_i(request: Request) -> Answer:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    user = _sessions.get(f"session:{token}")
    return as_json({"user": {"id": user}}) if user else as_json({"error": "no such session"}, 401)


def health(_: Request) -> Answer:
    database = _database.answers()
    sessions = _sessions.ping()
    fine = database and bool(sessions)
    return as_json({"status": "ok" if fine else "no database"}, 200 if fine else 503)


_ROUTES = routed(
    {
        ("POST", "/v1/auth/signin"): sign_in,
        ("GET", "/v1/auth/session"): who_am_i,
        ("GET", "/healthz"): health,
    }
)


def handle(request: Request) -> Answer:
    try:
        return _ROUTES(request)
    except psycopg.Error as problem:
        return as_json({"error": f"postgres: {problem}"}, 503)
    except redis.RedisError as problem:
        return as_json({"error": f"redis: {problem}"}, 503)


if __name__ == "__main__":
    serve("auth", 4000, handle)
