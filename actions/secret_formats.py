"""What tokens look like that bear the name of whoever issued them, so that they are known wherever they stand.

Each is a pattern after a word's beginning. Lengths are bounded and possessive: the text may be anybody's.
"""

from __future__ import annotations

import re

FORMATS: dict[str, str] = {
    "Slack": r"(?:xox[a-z](?:\.xox[a-z])?|xapp)-[\w-]{4,512}+",
    "AWS, key id": r"(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub": r"(?:gh[pousr]_\w{20,255}+|github_pat_\w{20,255}+)",
    "GitLab": r"gl(?:pat|rt|dt|cbt|ptt|soat|ft)-[\w-]{16,255}+",
    "HashiCorp Vault": r"hv[sbr]\.[\w-]{16,512}+",
    "HashiCorp Terraform": r"(?:\w{14}\.)?atlasv1\.[\w-]{20,255}+",
    "Stripe": r"(?:[srp]k_(?:live|test)_\w{10,255}+|whsec_[\w+/=]{16,255}+)",
    "OpenAI, Anthropic": r"sk-[\w-]{20,255}+",
    "Google": r"(?:AIza[\w-]{30,60}+|ya29\.[\w-]{16,512}+|GOCSPX-[\w-]{16,64}+)",
    "npm": r"npm_\w{30,64}+",
    "PyPI": r"pypi-[\w-]{16,512}+",
    "RubyGems": r"rubygems_[0-9a-f]{32,64}+",
    "Docker Hub": r"dckr_(?:pat|oat)_[\w-]{20,64}+",
    "DigitalOcean": r"do[por]_v1_[0-9a-f]{32,80}+",
    "SendGrid": r"SG\.[\w-]{16,64}+\.[\w-]{16,64}+",
    "Hugging Face": r"hf_\w{20,64}+",
    "Shopify": r"shp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}\b",
    "Atlassian": r"ATATT3[\w=-]{10,512}+",
    "Linear": r"lin_(?:api|oauth)_\w{20,64}+",
    "New Relic": r"NRA[AK]-\w{20,64}+",
    "Sentry": r"sntry[su]_[\w=+/-]{12,512}+",
    "Supabase": r"sb(?:p_[0-9a-f]{40}|_secret_[\w-]{20,64}+)",
    "Grafana": r"gl(?:c|sa)_[\w=+/]{20,512}+",
    "PagerDuty, REST": r"u\+[\w-]{18}\b",
    "age": r"AGE-SECRET-KEY-1[0-9A-Z]{20,80}+",
    "JSON Web Token": r"eyJ[\w-]{8,8192}+\.[\w-]{8,8192}+\.[\w-]{0,8192}+",
    "PostgreSQL, stored passwords": r"(?:SCRAM-SHA-256\$\d{1,9}+:[\w+/=$:]{8,255}+|md5[0-9a-f]{32}\b)",
}
"""Whose it is, and the pattern. PostgreSQL: a stored password is enough to log in (md5) or to guess at leisure."""

TOKEN = re.compile(rf"(?<![\w-])(?:{'|'.join(FORMATS.values())})")
