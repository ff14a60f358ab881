"""The same words in a terminal, for when Slack is away: what is typed, what is shown, who typed it."""
