"""The stack as data: which services are on which site, what needs what, what was promised for each."""
