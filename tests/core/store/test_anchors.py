"""What was deleted from the store's end, or as a whole journal, is found by what was noted outside of it."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions.engine.journal import Kind
from actions.store.anchors import AnchorFile, anchors_path, cut_short
from actions.store.store import Store
from actions.store.tables import claims, entries, journals
from bot.terminal.records import verify_journals
from tests.support.bot_world import Clock, store_in
from workers.watch.anchor_journals import Anchoring

DATA = {"procedure": "paint", "table": "t", "service": "wall", "site": "main", "by": "U1", "request": {}, "origin": {}}


class Place:
    """A store with two runs of three entries each, and the file of its anchors."""

    def __init__(self, folder: Path) -> None:
        self.store: Store = store_in(folder, Clock())
        self.file = AnchorFile(folder / "heads")
        self.keeper = Anchoring(self.store, self.file)
        for run in ("r1", "r2"):
            self.store.open_run(run, {**DATA, "service": run}, claims=True, key=run)
            self.writes(run, 2)

    def writes(self, run: str, count: int) -> None:
        for n in range(count):
            self.store.speak(run, lambda state, n=n: (Kind.NOTED, None, {"text": str(n)}))

    def deletes(self, run: str, after: int) -> None:
        with self.store.engine.begin() as db:
            db.execute(sa.delete(entries).where(entries.c.run == run, entries.c.n > after))
            # By somebody who knows the store, so that its own tables of journals and claims do not tell.
            db.execute(sa.delete(journals).where(journals.c.id == run))
            if not after:
                db.execute(sa.delete(claims).where(claims.c.run == run))
        Store(str(self.store.engine.url), self.store.clock).dispose()

    def lost(self) -> list[tuple[str, str]]:
        found = self.file.read()
        assert found is not None
        return list(cut_short(found, self.store.entries))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_each_head_is_noted_once_and_again_when_it_has_grown(place: Place) -> None:
    assert (place.keeper.tick(), place.keeper.tick()) == (2, 0)
    place.writes("r1", 1)
    assert place.keeper.tick() == 1
    # A worker that begins anew knows what the one before has noted.
    assert Anchoring(place.store, place.file).tick() == 0
    assert place.lost() == []


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (2, "it has 2 entries, and had 3"),
        (0, "the journal is gone, and had 3 entries"),
    ],
)
def test_what_is_gone_from_the_end_is_found(
    place: Place, after: int, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place.keeper.tick()
    path = str(place.file.path)
    assert verify_journals(place.store, None, as_json=True, anchors=path) == 0
    place.deletes("r2", after)
    assert verify_journals(place.store, None, as_json=True) == 0, "the chain alone does not tell"
    capsys.readouterr()
    assert verify_journals(place.store, None, as_json=True, anchors=path) == 1
    assert json.loads(capsys.readouterr().out)["broken"] == [{"run": "r2", "entry": None, "at": None, "why": why}]
    assert verify_journals(place.store, "r2", as_json=False, anchors=path) == 1
    assert f"r2: {why}." in capsys.readouterr().out


def test_a_new_end_in_the_place_of_the_old_one_is_found(place: Place) -> None:
    place.keeper.tick()
    place.deletes("r1", 2)
    place.writes("r1", 5)
    assert place.lost() == [("r1", "entry 3 is another than the one that was noted")]


def test_a_line_of_somebody_else_is_found_and_counts_for_nothing(place: Place) -> None:
    place.keeper.tick()
    lines = place.file.path.read_text().splitlines()
    forged = [lines[0].replace(" 3 ", " 2 "), "nonsense", "five words and no number", *lines]
    place.file.path.write_text("\n".join(forged) + "\n")
    found = place.file.read()
    assert found is not None
    assert (found.forged, {a.n for a in found.newest.values()}) == ((1, 2, 3), {3})


def test_half_a_line_of_a_writer_that_was_killed_spoils_no_other(place: Place) -> None:
    place.keeper.tick()
    with place.file.path.open("a") as file:
        file.write("2026-02-09T08:00:00+00:00 r1 4 0a1b")
    place.writes("r2", 1)
    Anchoring(place.store, place.file).tick()
    found = place.file.read()
    assert found is not None
    assert (found.forged, {name: a.n for name, a in found.newest.items()}) == ((), {"r1": 3, "r2": 4})


@pytest.mark.parametrize("missing", [".key", ""])
def test_a_writer_that_is_killed_before_its_first_line_leaves_nothing_to_complain_of(
    place: Place, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies before the key is put there, or just after."""

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        if missing:
            patched.setattr(Path, "replace", die)
        else:
            patched.setattr("actions.store.anchors._drop_half_line", die)
        with pytest.raises(Killed):
            place.keeper.tick()
    assert place.file.key_path.exists() == (not missing)
    assert Anchoring(place.store, place.file).tick() == 2
    assert place.lost() == []
    assert len(place.file.key_path.read_bytes()) == 32


def test_a_line_for_which_there_is_no_room_is_taken_back_and_noted_once_there_is(place: Place) -> None:
    place.keeper.tick()
    place.writes("r1", 1)
    before = place.file.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            place.keeper.tick()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert place.file.path.read_bytes() == before
    assert place.keeper.tick() == 1
    assert place.lost() == []


def test_a_key_that_is_gone_is_said(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.keeper.tick()
    place.file.key_path.unlink()
    assert verify_journals(place.store, None, as_json=False, anchors=str(place.file.path)) == 1
    assert "cannot be read" in capsys.readouterr().out


def test_a_file_that_is_gone_while_its_key_is_left_is_said_and_not_taken_for_a_beginning(place: Place) -> None:
    assert place.file.read() is None
    place.keeper.tick()
    place.file.path.unlink()
    with pytest.raises(FileNotFoundError):
        place.file.read()


def test_the_files_are_their_owners_alone_and_lie_beside_the_store(place: Place, tmp_path: Path) -> None:
    place.keeper.tick()
    assert [path.stat().st_mode & 0o777 for path in (place.file.path, place.file.key_path)] == [0o600, 0o600]
    assert anchors_path("", f"sqlite:///{tmp_path}/mayday.db") == f"{tmp_path}/mayday.db.anchors"
    assert anchors_path("", "postgresql+psycopg://db/mayday") == ""
    assert anchors_path("/mnt/heads", "postgresql+psycopg://db/mayday") == "/mnt/heads"
