"""Building a standby: the primary is prepared, copied into the standby's container, and followed."""
