"""A practice company on one machine: the stack in Docker, a town that talks, a practice Slack."""
