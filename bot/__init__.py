"""The words: what Slack sends, what a command means, who may do what, and the threads that are drawn from journals."""
