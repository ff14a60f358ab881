"""PostgreSQL in containers: SQL, WAL, base backups, the clone beside the live data, and the swap."""
