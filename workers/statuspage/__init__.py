"""Status pages: one adapter a file, each an `actions.outside.StatusPage`."""
