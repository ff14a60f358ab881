"""The failover of a PostgreSQL to its standby: evidence, fence, promotion, and how clients find the new primary."""
