"""Which configuration files a server reads, what differs from a backup's, and what keeping the live ones takes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

import pytest

from actions.postgres.config_changes import Changes, Laid, changes
from actions.postgres.config_files import ConfigFile, ConfigPlace, ConfigTree, place_of, read, settings_in

PGDATA = "/var/lib/postgresql/data"
PLACE = ConfigPlace(PGDATA)
MAIN, AUTO, HBA = "postgresql.conf", "postgresql.auto.conf", "pg_hba.conf"
BASE = {MAIN: "port = 5432\n", AUTO: "", HBA: "local all all trust\n", "pg_ident.conf": ""}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def tree(**more: str) -> ConfigTree:
    return of({**BASE, **more})


def of(texts: dict[str, str]) -> ConfigTree:
    return ConfigTree(True, {path: ConfigFile(path, sha(text), text) for path, text in texts.items()})


def kept(live: dict[str, str], backup: dict[str, str] | None = None) -> Changes:
    return changes(of({**BASE, **live}), of({**BASE, **(backup or {})}), PLACE)


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        ("work_mem = '64MB'  # more", ("work_mem", "64MB")),
        ("Work_Mem 64MB", ("work_mem", "64MB")),
        ("log_line_prefix = '%m [%p] ''x'' \\'y\\' #'", ("log_line_prefix", "%m [%p] 'x' 'y' #")),
        ("cron.database_name='app'", ("cron.database_name", "app")),
        ("archive_command = ''", ("archive_command", "")),
        ("  include_dir = 'conf.d'", ("include_dir", "conf.d")),
    ],
)
def test_a_line_is_read_as_the_server_reads_it(line: str, setting: tuple[str, str]) -> None:
    assert list(settings_in(line)) == [setting]


@pytest.mark.parametrize("line", ["# work_mem = 4MB", "", "   ", "= 3"])
def test_what_is_no_setting_is_passed_over(line: str) -> None:
    assert list(settings_in(line)) == []


def test_the_last_setting_wins_and_alter_system_comes_last_of_all() -> None:
    files = of(
        {
            MAIN: "a.b = 1\ninclude 'more.conf'\ninclude_dir 'conf.d'\na.e = 9\n",
            "more.conf": "a.b = 2\na.c = 2\n",
            "conf.d/10.conf": "a.c = 3\n",
            "conf.d/20.conf": "a.d = 4\n",
            "conf.d/.hidden.conf": "a.d = 5\n",
            "conf.d/30.txt": "a.d = 6\n",
            AUTO: "a.e = 7\n",
        }
    ).files
    reading = read(files, PLACE)
    assert {name: value for name, (value, _) in reading.settings.items()} == {
        "a.b": "2",
        "a.c": "3",
        "a.d": "4",
        "a.e": "7",
    }
    assert reading.folders == ["conf.d"]


def test_files_that_include_each_other_come_to_an_end() -> None:
    files = of({MAIN: "include 'more.conf'\nx.y = 1\n", "more.conf": "include 'postgresql.conf'\n"}).files
    assert read(files, PLACE).settings["x.y"][0] == "1"


def test_rules_that_include_each_other_come_to_an_end() -> None:
    files = of({MAIN: "", HBA: "include more.hba\n", "more.hba": "include pg_hba.conf\n"}).files
    assert read(files, PLACE).files == [MAIN, HBA, "more.hba"]


class Counted(dict[str, ConfigFile]):
    """Files, and how often each was opened."""

    def __init__(self, files: Mapping[str, ConfigFile]) -> None:
        super().__init__(files)
        self.opened = Counter[str]()

    def __getitem__(self, path: str) -> ConfigFile:
        self.opened[path] += 1
        return super().__getitem__(path)


def test_files_of_rules_that_all_include_each_other_are_read_once() -> None:
    """Each of them would otherwise be read for every way that leads to it, of which ten levels have very many."""
    members = {"d/a.conf": "include_dir .\n", "d/b.conf": "include_dir .\n"}
    files = Counted(of({MAIN: "", HBA: "include_dir d\n", **members}).files)
    assert read(files, PLACE).files == [MAIN, HBA, *members]
    assert [files.opened[path] for path in members] == [1, 1]


def test_files_of_settings_that_all_include_each_other_keep_nobody_waiting() -> None:
    """Ten levels of five files are ten million ways; each file is seen all the same, and what it sets."""
    members = {f"d/{name}.conf": f"include_dir '.'\nx.{name} = 1\n" for name in "abcde"}
    files = Counted(of({MAIN: "include_dir 'd'\n", HBA: "", **members}).files)
    found = read(files, PLACE)
    assert set(members) <= set(found.files)
    assert files.opened.total() < 10_000


@pytest.mark.parametrize(("first", "line"), [(MAIN, "include = '{}'\n"), (HBA, "include {}\n")])
def test_more_than_ten_levels_of_inclusion_are_not_read(first: str, line: str) -> None:
    names = [first, *(f"level{n}" for n in range(1, 13))]
    texts = {name: line.format(then) for name, then in pairwise(names)} | {names[-1]: ""}
    found = read(of(texts).files, PLACE).files
    assert [name for name in names if name in found] == names[:11]


@pytest.mark.parametrize(("name", "lines"), [(MAIN, "include = '/etc/x.conf'\n"), (HBA, "include /etc/x.hba\n")])
def test_what_lies_outside_of_pgdata_is_not_missing_from_it(name: str, lines: str) -> None:
    assert read(of({**BASE, name: lines}).files, PLACE).absent == []
    assert read(of({**BASE, name: lines.replace("/etc/", "")}).files, PLACE).absent != []


def test_hidden_files_of_an_included_folder_are_not_read() -> None:
    members = {"c/a.conf": "x.y = 1\n", "c/.b.conf": "x.y = 2\nx.z = 2\n", "c/b.old": "x.y = 3\n"}
    found = read(of({**BASE, MAIN: "include_dir = 'c'\n", **members}).files, PLACE)
    assert found.settings == {"x.y": ("1", "c/a.conf")}
    assert "c/.b.conf" not in found.files


def test_all_that_the_files_name_below_pgdata_belongs_to_the_configuration() -> None:
    files = of(
        {
            MAIN: f"hba_file = 'own/hba.conf'\nssl_key_file = 'keys/a.key'\narchive_command = "
            f"'{PGDATA}/bin/push.sh %p'\ninclude_if_exists = '{PGDATA}/late.conf'\n"
            "include_if_exists = '/etc/outside.conf'\n",
            "own/hba.conf": "host all @staff 10.0.0.0/8 scram-sha-256\ninclude_dir more\ninclude extra.hba\n",
            "own/staff": "ana\n",
            "own/more/a.conf": "local all all peer\n",
            "own/extra.hba": "local all all peer\n",
            "keys/a.key": "",
            "bin/push.sh": "",
            "late.conf": "",
            "server.crt": "",
            "notes.txt": "",
            HBA: "",
            AUTO: "",
        }
    ).files
    assert {*files} - {*read(files, PLACE).files} == {"notes.txt", HBA}


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (["postgres", "-c", "archive_mode=on"], PLACE),
        (["postgres", "-c", "config_file=/etc/postgresql/postgresql.conf"], ConfigPlace(PGDATA, config="")),
        (
            ["postgres", "--config-file=/etc/p.conf", f"--hba-file={PGDATA}/own.conf"],
            ConfigPlace(PGDATA, "", "own.conf"),
        ),
        (["postgres", f"-cident_file={PGDATA}/i.conf"], ConfigPlace(PGDATA, ident="i.conf")),
    ],
)
def test_the_command_line_says_where_the_files_lie(command: list[str], place: ConfigPlace) -> None:
    assert place_of(command, PGDATA) == place


def test_where_nothing_differs_nothing_is_to_be_done() -> None:
    assert kept({}) == Changes()


def test_settings_and_rules_that_differ_are_named_with_both_values_and_the_large_ones_first() -> None:
    found = kept(
        {
            MAIN: "port = 5432\nlog_min_duration_statement = 250\n",
            HBA: BASE[HBA] + "host all all all md5\n",
            AUTO: "work_mem = '64MB'\nmax_connections = '300'\n",
        },
        {AUTO: "work_mem = '4MB'\n"},
    )
    assert found.lines == (
        "max_connections: 300 (in the backup: not set)",
        "log_min_duration_statement: 250 (in the backup: not set)",
        "work_mem: 64MB (in the backup: 4MB)",
        "pg_hba.conf: added since: host all all all md5",
    )
    assert {one.path for one in found.lays} == {MAIN, AUTO, HBA}


def test_a_setting_that_was_taken_back_since_is_named_too() -> None:
    assert kept({}, {AUTO: "work_mem = '4MB'\n"}).lines == ("work_mem: not set (in the backup: 4MB)",)


def test_secrets_are_not_shown() -> None:
    found = kept({MAIN: "my.api_key = 'hunter2'\n", HBA: "host all all all ldap ldapbindpasswd=hunter2\n"})
    assert "hunter2" not in "".join(found.lines)
    assert any("my.api_key" in line for line in found.lines)


def test_the_order_of_rules_counts_for_it_decides_who_comes_in() -> None:
    one, other = "host all a all trust", "host all all all reject"
    found = kept({HBA: f"{other}\n{one}\n"}, {HBA: f"{one}\n{other}\n"})
    assert [one.path for one in found.lays] == [HBA]
    assert found.lines


def test_settings_of_a_recovery_are_not_kept_from_either_side() -> None:
    stale = "primary_conninfo = 'host=other'\nrecovery_target_time = '2026-01-01'\nrestore_command = 'false'\n"
    assert kept({AUTO: stale}) == Changes()
    found = kept({AUTO: f"work_mem = '1MB'\n{stale}"})
    assert found.lays == (Laid(AUTO, sha("work_mem = '1MB'\n")),)


def test_a_file_that_the_live_server_lacks_is_taken_from_the_backup_and_said() -> None:
    live = {path: text for path, text in BASE.items() if path != HBA}
    found = changes(of(live), of(BASE), PLACE)
    assert (found.missing, found.lays, found.away) == ((HBA,), (), ())


def test_an_included_file_that_was_lost_is_taken_from_the_backup() -> None:
    main = "include 'more.conf'\n"
    found = changes(of({**BASE, MAIN: main}), of({**BASE, MAIN: main, "more.conf": "work_mem = 1MB\n"}), PLACE)
    assert (found.missing, found.lines) == (("more.conf",), ())


def test_a_file_in_an_included_folder_that_the_live_server_no_longer_has_is_moved_away() -> None:
    main = {MAIN: "include_dir = 'conf.d'\n", "conf.d/a.conf": "work_mem = 1MB\n"}
    found = kept(main, {**main, "conf.d/b.conf": "work_mem = 2MB\n", "conf.d/b.conf.old": "", "notes.conf": ""})
    assert found.away == ("conf.d/b.conf",)
    assert found.lines == ("work_mem: 1MB (in the backup: 2MB)",)


def test_a_live_directory_that_is_none_has_no_say() -> None:
    found = changes(ConfigTree(False), of(BASE), PLACE)
    assert (found.lays, found.away, found.missing) == ((), (), ("the data directory",))


def test_with_configuration_outside_of_pgdata_what_lies_there_unread_is_kept_all_the_same() -> None:
    outside = ConfigPlace(PGDATA, "", "", "")
    live, backup = of({**BASE, MAIN: "port = 1\n", AUTO: "work_mem = '1MB'\n", HBA: "x"}), of(BASE)
    found = changes(live, backup, outside)
    assert [one.path for one in found.lays] == [AUTO, MAIN, HBA]
    assert found.lines[1:] == tuple(
        f"{path}: differs from that of the backup; the server does not read it" for path in (MAIN, HBA)
    )
    assert "port" not in found.lines[0]


def test_a_key_is_compared_by_its_digest_alone() -> None:
    live = ConfigTree(True, {**of(BASE).files, "server.key": ConfigFile("server.key", "a" * 64)})
    backup = ConfigTree(True, {**of(BASE).files, "server.key": ConfigFile("server.key", "b" * 64)})
    found = changes(live, backup, PLACE)
    assert found.lays == (Laid("server.key", "a" * 64),)
    assert found.lines == ("server.key: another content",)


def test_a_file_that_cannot_be_read_and_is_the_same_on_both_sides_is_no_difference() -> None:
    same = {MAIN: ConfigFile(MAIN, "d1", None)}
    assert changes(ConfigTree(True, same), ConfigTree(True, same), PLACE).lines == ()
    other = {MAIN: ConfigFile(MAIN, "d2", None)}
    assert changes(ConfigTree(True, same), ConfigTree(True, other), PLACE).lines == (f"{MAIN}: another content",)


def test_a_file_of_rules_that_one_side_alone_has_is_named_with_the_side() -> None:
    including = {HBA: "include_dir hba.d\n"}
    more = {**including, "hba.d/a.conf": "local all all peer\n"}
    there, gone = kept(more, including), kept(including, more)
    assert there.lines == ("hba.d/a.conf: only on the live server",)
    assert [one.path for one in there.lays] == ["hba.d/a.conf"]
    assert (gone.lines, gone.away) == (("hba.d/a.conf: only in the backup",), ("hba.d/a.conf",))
