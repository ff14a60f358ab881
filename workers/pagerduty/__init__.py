"""PagerDuty: its REST API and Events API, the webhook subscription, the poller, notes of milestones."""
