"""Status pages: one adapter a file, each an `actions.tools.outside.StatusPage`."""
