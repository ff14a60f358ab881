"""How things look in Slack: Block Kit as plain dicts, made from journals by pure functions."""
