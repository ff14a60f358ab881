"""`make bench`: the figures that users feel, measured on a practice company of its own and printed with ratios."""
