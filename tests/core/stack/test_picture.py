"""The stack as a picture: all that is known stands in it and beside it in words, and it changes with that alone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from actions.stack.manual import SERVICES
from actions.stack.picture import WIDTH, SiteSeen, svg, told
from actions.stack.stack import Service, ServiceKind, Site
from actions.watch.redis_memory import Memory
from actions.watch.service_condition import Condition
from bot.slack import stack_png
from bot.slack.stack_png import NoPicture, png
from tests.core.stack.test_drawing import NOW, seen
from tests.support.terminal_world import Terminal

SVG = "{http://www.w3.org/2000/svg}"
SITE = Site("main", "tcp://host:2376", SERVICES)
KNOWN = (
    seen("nself-postgres", container="nchat_postgres"),
    replace(seen("nself-redis"), memory=Memory(NOW, 2 << 20, 2 << 20, "noeviction", 3)),
    seen("nself-auth", "stopped", "Exited (137)"),
    seen("nself-hasura", minutes=42),
    seen("strange"),
)


def of(site: Site = SITE, known: tuple[Condition, ...] = KNOWN) -> SiteSeen:
    return SiteSeen(site, {one.service: one for one in known})


def words(picture: str) -> list[str]:
    """All texts that are drawn, in order."""
    return [node.text or "" for node in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def test_every_service_stands_in_its_wave_with_how_it_is_and_where_its_data_lies() -> None:
    drawn = words(svg([of()], NOW))
    assert drawn[:2] == ["Site main", "Docker at tcp://host:2376"]
    names = [word for word in drawn if word.startswith("nself-")]
    assert names == [
        "nself-postgres",
        "nself-redis",
        "nself-minio",
        "nself-auth",
        "nself-hasura",
        "nself-meilisearch",
        "nself-functions",
        "nself-prometheus",
        "nself-grafana",
        "nself-loki",
    ]
    after = drawn.index("nself-postgres")
    assert drawn[after + 1 : after + 3] == ["healthy (container nchat_postgres)", "data in /data/postgres"]
    assert drawn[drawn.index("nself-auth") + 1 :][:2] == ["stopped", "Exited (137)"]
    assert drawn[drawn.index("nself-hasura") + 1] == "healthy, seen 2026-11-22 13:18:00 UTC"
    assert drawn[-1] == "Beside it, in no table of services: strange"


def test_what_is_well_ill_and_unknown_differs_in_its_sign_and_not_only_in_its_colour() -> None:
    root = ElementTree.fromstring(svg([of()], NOW))
    states = [node.get("class") for node in root.iter(f"{SVG}circle")]
    signs = [node.get("d") for node in root.iter(f"{SVG}path") if node.get("class") == "sign"]
    assert states[:5] == ["well", "ill", "unknown", "ill", "unknown"]
    assert len({(state, sign) for state, sign in zip(states, signs, strict=True)}) == 3
    assert len(set(signs)) == 3


def test_an_arrow_comes_to_each_service_for_each_that_it_needs() -> None:
    root = ElementTree.fromstring(svg([of()], NOW))
    arrows = [node for node in root.iter(f"{SVG}path") if node.get("class") == "dot"]
    assert len(arrows) == sum(len(one.needs) for one in SERVICES)


def test_lines_of_two_services_that_overlap_never_share_a_lane() -> None:
    chain = tuple(
        Service(f"s{n}", ServiceKind.OTHER, needs=tuple(f"s{m}" for m in range(n) if m % 3 == n % 3)) for n in range(12)
    )
    root = ElementTree.fromstring(svg([of(Site("main", services=chain), ())], NOW))
    downs = [re.fullmatch(r"M\d+ (\d+)H(-?\d+)V(\d+)", node.get("d") or "") for node in root.iter(f"{SVG}path")]
    spans = [(int(m[2]), int(m[1]), int(m[3])) for m in downs if m]
    assert len(spans) == 9
    assert all(x > 0 for x, _, _ in spans)
    for x, begin, end in spans:
        others = [span for span in spans if span[0] == x and span != (x, begin, end)]
        assert all(end < other[1] or other[2] < begin for other in others)


def test_the_words_beside_it_say_everything_that_is_drawn() -> None:
    one = of(known=(*KNOWN, seen("nself-minio", "unhealthy", "it cannot reach its disk " * 3)))
    said = told([one], NOW).replace(" ", "")
    for word in words(svg([one], NOW)):
        assert re.sub(r"^(\d+) · ", r"\1. ", word).replace(" ", "") in said, word
    for need in ("needs nself-postgres, nself-redis", "needs nself-postgres, nself-hasura", "well", "not known"):
        assert need in told([one], NOW)
    root = ElementTree.fromstring(svg([one], NOW))
    assert root.findtext(f"{SVG}desc") == told([one], NOW)


def test_it_does_not_change_with_the_clock_alone() -> None:
    first, later = svg([of()], NOW), svg([of()], NOW + timedelta(seconds=20))
    assert first == later
    assert svg([of(known=())], NOW) != first


def test_nothing_stands_out_of_it_and_names_are_no_markup() -> None:
    long = Service("x" * 300, ServiceKind.OTHER, folders=("/data/" + "y" * 300,))
    hostile = Service("<script>&", ServiceKind.REDIS, needs=(long.name,))
    picture = svg([of(Site("a & b", services=(long, hostile)), (seen("<script>&", "stopped", "</svg>" * 40),))], NOW)
    assert "<script>" not in picture
    root = ElementTree.fromstring(picture)
    height = int(root.get("height") or 0)
    for node in root.iter(f"{SVG}text"):
        size, x = int(node.get("font-size") or 0), int(node.get("x") or 0)
        assert x + len(node.text or "") * size * 0.58 <= WIDTH
        assert 0 < int(node.get("y") or 0) < height


def test_several_sites_stand_below_each_other() -> None:
    drawn = words(svg([of(), of(Site("east", services=SERVICES[:1]), ())], NOW))
    assert drawn.count("nself-postgres") == 2
    assert drawn.index("Site east") > drawn.index("nself-loki")


def test_it_has_colours_for_the_light_and_for_the_dark_that_can_be_read() -> None:
    picture = svg([of()], NOW)
    light, dark = picture[picture.index("<style>") : picture.index("</style>")].split(
        "@media(prefers-color-scheme:dark)"
    )
    for style in (light, dark):
        back = colour(style, ".card")
        for name in ("text", ".soft"):
            assert contrast(colour(style, name), back) >= 4.5, name
        for name in (".well", ".ill", ".unknown"):
            assert contrast(colour(style, name), back) >= 3, name


def colour(style: str, name: str) -> str:
    found = re.search(re.escape(name) + r"\{[^}]*?fill:#([0-9a-f]{6})", style)
    assert found, name
    return found[1]


def contrast(one: str, other: str) -> float:
    """As WCAG 2.2 counts it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_as_png_it_has_its_letters_without_any_font_of_the_host() -> None:
    picture = svg([of()], NOW)
    made = png(picture)
    assert made.startswith(b"\x89PNG")
    assert int.from_bytes(made[16:20], "big") == 2 * WIDTH
    bare = png(re.sub(r"<text.*?</text>", "", picture))
    assert len(made) > 2 * len(bare)


def test_without_what_draws_it_there_is_no_png_and_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoPicture, match="could not be drawn"):
        png("no picture at all")
    monkeypatch.setattr(stack_png, "svg_to_bytes", None)
    with pytest.raises(NoPicture, match="resvg-py, which draws it, is not installed here"):
        png(svg([of()], NOW))


def test_the_terminal_writes_it_into_a_file(tmp_path: Path) -> None:
    terminal, file = Terminal(tmp_path), tmp_path / "stack.svg"
    assert terminal.typed("ana", "stack", "--svg", str(file)).stdout == f"The stack is drawn in {file}.\n"
    assert words(file.read_text(encoding="utf-8"))[0] == "Site main"
    nowhere = terminal.type("ana", "stack", "--svg", str(tmp_path / "no" / "stack.svg"))
    assert "cannot be written" in str(nowhere.exception)
