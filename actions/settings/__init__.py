"""The settings: their form, where they are read, and the secrets kept beside them."""
