"""People who use the databases all the time: several sessions that commit, roll back and hold each other up."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from tests.clusters.case import Case
from tests.clusters.truth import HOLD

NAME = "cluster-writer"
# A transaction without a sequence is rolled back now and then: it must leave nothing, wherever it stands in WAL.
_WORK = f"""
do $$
declare pause float8 := %(pause)s;
begin
  loop
    perform pg_advisory_xact_lock_shared({HOLD});
    if random() < 0.1 then
      update accounts set balance = -1 where id = 1 + (random() * 99)::int;
      rollback;
    else
      insert into events (who, v) select %(who)s, md5(random()::text) from generate_series(1, 1 + (random() * 3)::int);
      if random() < 0.4 then
        update accounts set balance = balance + 1, changed = clock_timestamp() where id = 1 + (random() * 99)::int;
      end if;
      if random() < 0.1 then delete from events where id in (select id from events where who = %(who)s limit 2); end if;
      if random() < 0.2 then insert into notes select 'from %(who)s', (random() * 9)::int; end if;
      insert into journal (who) values (%(who)s);
      commit;
    end if;
    perform pg_sleep(random() * pause);
    commit;
  end loop;
end $$
"""


class Writers:
    """The sessions of one cluster."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, databases: Sequence[str], each: int, pause: float) -> None:
        """Let so many sessions write to each of these databases, which have the tables of every cluster."""
        cluster = self._case.cluster
        for database in databases:
            for who in range(each):
                work = _WORK % {"pause": pause, "who": who}
                # A statement each: several at once would be one transaction, in which a block cannot commit.
                argv = [
                    "docker",
                    "exec",
                    "-u",
                    str(cluster.uid),
                    cluster.name,
                    "psql",
                    *cluster.psql,
                    "-Xq",
                    "-U",
                    cluster.site.user,
                    "-d",
                    database,
                    "-c",
                    f"set application_name = '{NAME}'",
                    "-c",
                    work,
                ]
                self._running.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        at_work = f"select count(*) from pg_stat_activity where application_name = '{NAME}' and query like '%loop%'"
        number = str(len(self._running))
        cluster.until(lambda: self._case.sql(at_work, "postgres") == number, 30, f"{number} writers are at work")

    def stop(self) -> None:
        """End them all, and wait until the server has forgotten them."""
        if not self._running:
            return
        ended = f"select pg_terminate_backend(pid) from pg_stat_activity where application_name = '{NAME}'"
        self._case.cluster.until(lambda: not self._case.sql(ended, "postgres"), 20, "the writers have gone")
        self.forget()

    def forget(self) -> None:
        """Wait for the sessions' clients, whose server has gone."""
        for writer in self._running:
            try:
                writer.wait(10)
            except subprocess.TimeoutExpired:
                writer.kill()
        self._running.clear()
