"""How PostgreSQL is recovered, as pure functions: targets, WAL, windows, integrity."""
