"""A password as PostgreSQL keeps it, computed here: so the password itself comes into no statement and no log."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode

ITERATIONS = 4096
"""As of `scram_iterations` in PostgreSQL 16 to 18, and fixed before."""
SALT_BYTES = 16


def scram_verifier(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """`SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, as `ALTER ROLE … PASSWORD` takes it.

    RFC 5802, section 3, and pg_authid of PostgreSQL's manual. The password has to be of ASCII, which SASLprep
    leaves as it is.

    Raises:
        ValueError: it is not.
    """
    if not password.isascii() or not password.isprintable():
        raise ValueError("a password of other characters than printable ASCII")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored, server = hashlib.sha256(client).digest(), hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${iterations}:{_base64(salt)}${_base64(stored)}:{_base64(server)}"


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
