"""The bot's web server: health, metrics, PagerDuty's webhook and Slack's HTTP mode, within limits."""
