"""Random clusters, damaged at random and recovered to a random moment, judged by what was there at that moment.

`make clusters COUNT=20 SEED=7` draws twenty from one number; `make clusters SEED=7 ONLY=13` draws the thirteenth again.
Whatever may be odd about a cluster is a `Kind` (kinds_*.py): it sets the container up, fills the databases, archives
WAL in its own way, or spoils something just before the recovery. `blows.py` is what people do to their data.
"""
