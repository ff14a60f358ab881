"""A practice chat workspace that speaks Slack's protocol to an unmodified Bolt app."""
