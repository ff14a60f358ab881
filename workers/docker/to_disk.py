"""A shell function that has a copied tree written to the disk."""

from __future__ import annotations

# File by file, some side by side: `sync -f` would also write out, and wait for, what everybody else has written on that
# file system, be it a base backup or the store of the bot. A sync that takes no file names writes everything, which is
# right as well.
SETTLE = r"""
settle() {
    for tree do
        [ -d "$tree" ] || continue
        find "$tree" -type f -print0 | xargs -0 -r -n 64 -P 4 sync 2>/dev/null || { sync; return; }
        find "$tree" -type d -print0 | xargs -0 -r -n 64 sync 2>/dev/null || { sync; return; }
    done
}
"""
