"""One file for each kind of thing that Slack sends. A listener writes once, acknowledges, wakes a worker."""
