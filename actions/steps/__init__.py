"""What steps do, by subject: functions that take just the request, the facts and the tools they name."""
