"""The public page, as it is served and as a real browser draws it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from lab.statuspage.server import Listening
from tests.support.page_world import DRAFT, page, public
from workers.statuspage.opening import OpenPage

__all__ = ["page", "public"]
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--virtual-time-budget=2000")
TYPED = replace(DRAFT, text="First line.\n<script>alert(1)</script> & more")


@pytest.mark.parts
def test_the_page_shows_components_and_updates_and_says_what_it_is(public: Listening, page: OpenPage) -> None:
    made = page.publish(TYPED)
    seen = httpx.get(public.url, trust_env=False).text
    for words in (
        "Some services are down",
        "Messages are missing",
        "Investigating",
        "Down",
        " UTC, ",
        "a stand-in for Atlassian Statuspage",
        "&lt;script&gt;alert(1)",
    ):
        assert words in seen
    assert "<script>alert" not in seen
    assert "Messages are missing" in httpx.get(made.url, trust_env=False).text
    page.publish(replace(DRAFT, status="resolved", text="It is over."))
    assert "All services work" in httpx.get(public.url, trust_env=False).text


@pytest.mark.parts
def test_an_unknown_report_is_not_found_and_says_so(public: Listening) -> None:
    answer = httpx.get(f"{public.url}/incidents/nobody", trust_env=False)
    assert (answer.status_code, "no report under this address" in answer.text) == (404, True)


@pytest.mark.browser
def test_a_browser_draws_it(public: Listening, page: OpenPage, tmp_path: Path) -> None:
    browser = shutil.which("chromium")
    assert browser, "chromium is not installed: apt-get install chromium"
    page.publish(TYPED)
    command = [browser, *FLAGS, f"--user-data-dir={tmp_path}", "--dump-dom", public.url]
    drawn = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "Messages are missing" in drawn
    assert "<script>alert" not in drawn
