"""Slack: the Bolt app, who people are there, posting, and the threads that follow the journals."""
