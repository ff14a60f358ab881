"""Incidents in the bot: what PagerDuty sent becomes journals, commands become entries, threads show them."""
