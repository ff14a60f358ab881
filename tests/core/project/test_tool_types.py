"""A forgotten or wrong adapter is refused by mypy, not by a step at three in the morning."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from mypy import api

from actions.tools.registry import ERRAND_TOOLS, TOOLS, ErrandTools, SiteTools
from tests.support.paths import ROOT

pytestmark = pytest.mark.rules

SITE = """
from actions.settings.site import SiteConfig
from actions.tools import clusters, docker, folders, names, networks, outside, polling, private_answer, sql
from actions.tools import postgres_files, postgres_servers, standbys, throughput, web
from actions.tools.registry import ErrandTools, SiteTools

def opened(
    docker: docker.Docker,
    networks: networks.Networks,
    folders: folders.Folders,
    files: postgres_files.PostgresFiles,
    servers: postgres_servers.PostgresServers,
    standbys: standbys.Standbys,
    sql: sql.Sql,
    web: web.Web,
    throughput: throughput.Throughput,
    polling: polling.Polling,
    private: private_answer.PrivateAnswer,
    clusters: clusters.Clusters,
    site: SiteConfig,
    names: names.Names,
) -> SiteTools:
    return SiteTools({given})

def opened_for_errands(
    pagerduty: outside.PagerDuty, pager: outside.Pager, status_page: outside.StatusPage, polling: polling.Polling
) -> ErrandTools:
    return ErrandTools({errands})
"""


def fields(kind: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def said(folder: Path, site: list[str], errands: list[str]) -> str:
    """What mypy says where the tools are given so."""
    snippet = folder / "snippet.py"
    text = SITE.replace("{given}", ", ".join(site)).replace("{errands}", ", ".join(errands))
    snippet.write_text(text)
    # With the settings and so the cache of `make lint`, which has read all of `actions` just before.
    out, err, _ = api.run(["--config-file", str(ROOT / "pyproject.toml"), str(snippet)])
    assert not err
    return out


def given(names: list[str]) -> list[str]:
    return [f"{name}={name}" for name in names]


@pytest.mark.parametrize("missing", ["", "folders", "servers", "status_page"])
def test_a_forgotten_tool_is_refused(tmp_path: Path, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    site, errands = (given([name for name in fields(kind) if name != missing]) for kind in (SiteTools, ErrandTools))
    found = said(tmp_path, site, errands)
    if missing:
        assert f'Missing named argument "{missing}"' in found or f'Missing positional argument "{missing}"' in found
    else:
        assert found.startswith("Success"), found


def test_an_adapter_of_another_kind_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    site = [*given([name for name in fields(SiteTools) if name != "folders"]), "folders=docker"]
    found = said(tmp_path, site, given(fields(ErrandTools)))
    assert 'Argument "folders" to "SiteTools" has incompatible type "Docker"; expected "Folders"' in found


def test_steps_take_just_the_tools_that_a_toolbox_has_to_have() -> None:
    assert set(TOOLS) == {*fields(SiteTools), "progress", "now", "there"}
    assert set(ERRAND_TOOLS) == {*fields(ErrandTools), "progress", "now"}
