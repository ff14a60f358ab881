"""Pictures as PNG: Slack shows PNG, JPG and GIF in blocks, and no SVG.

The letters come from fonts of our own, for a container has none. docs.slack.dev/reference/block-kit/blocks/image-block
"""

from __future__ import annotations

from pathlib import Path

try:
    from resvg_py import svg_to_bytes
except ImportError:  # There are platforms without a build of it; the text goes on saying all.
    svg_to_bytes = None  # type: ignore[assignment]

_FONTS = sorted(str(path) for path in (Path(__file__).parent / "fonts").glob("*.ttf"))
_ZOOM = 2.0
"""Of a picture on a screen with fine pixels no letter is blurred."""


class NoPicture(Exception):
    """There is no PNG, and why."""


def png(svg: str) -> bytes:
    """The picture in its light colours.

    Raises:
        NoPicture: it cannot be made here.
    """
    if svg_to_bytes is None:
        raise NoPicture("resvg-py, which draws it, is not installed here")
    try:
        return bytes(
            svg_to_bytes(
                svg_string=svg, zoom=_ZOOM, skip_system_fonts=True, font_files=_FONTS, sans_serif_family="DejaVu Sans"
            )
        )
    except ValueError as error:
        raise NoPicture(f"it could not be drawn: {str(error)[:200]}") from error
