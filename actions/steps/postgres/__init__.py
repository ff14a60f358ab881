"""The steps of PostgreSQL: functions that take just the request, the facts and the tools they name."""
