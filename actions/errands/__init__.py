"""Small procedures that change the world outside of the stack: PagerDuty, the status page."""
