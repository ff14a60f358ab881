"""What a worker looks after while nothing is recovered: the audit, the condition of services, heartbeats."""
