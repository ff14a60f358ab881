"""Incidents: what PagerDuty says, which thread it belongs to, what people do about it, what fits it."""
