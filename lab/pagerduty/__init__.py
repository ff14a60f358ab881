"""A stand-in for PagerDuty: its REST API, Events API v2 and webhooks, with a practice company in it."""
