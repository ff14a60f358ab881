"""The words: what Slack sends, what a command means, who may do what, and the tail that redraws threads."""
