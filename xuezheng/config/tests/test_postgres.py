"""The embedded database, each test with real servers in a folder of its own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from xuezheng.config import postgres
from xuezheng.config.postgres import Cluster, PostgresError
from xuezheng.config.postgres_roles import Login, ensure_database

AS_ROOT = os.geteuid() == 0
CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the server's system account can enter; pytest's own is closed to it."""
    path = Path(tempfile.mkdtemp(prefix="xuezheng-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def cluster_at(folder: Path) -> Iterator[Callable[..., Cluster]]:
    """Makes clusters in a fresh folder and stops them at the end of the test."""
    made = []

    def make(name: str = "data", **options: bool) -> Cluster:
        base = Path(tempfile.mkdtemp(dir=folder))
        base.chmod(0o711)
        made.append(Cluster(base / name, **options))
        return made[-1]

    yield make
    for cluster in made:
        cluster.stop()
        if cluster.socket_dir.parent != cluster.root and cluster.socket_dir.exists():
            shutil.rmtree(cluster.socket_dir)


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Cluster]:
    """One server for the tests that only look at roles and privileges."""
    cluster = Cluster(folder / "shared", throwaway=True)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def logins(shared: Cluster) -> dict[str, Login]:
    """The four roles in a database with one plain table and one behind a row-level policy."""
    made = shared.prepare()
    execute(
        made["owner"],
        "CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY, name text UNIQUE)",
        "CREATE TABLE fenced (name text)",
        "ALTER TABLE fenced ENABLE ROW LEVEL SECURITY",
        "INSERT INTO fenced VALUES ('behind the policy')",
    )
    return made


def execute(login: Login, *statements: str) -> list[tuple]:
    """Run statements in one transaction; the rows of the last one, if it has any."""
    with psycopg.connect(login.conninfo()) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def postmaster(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text(encoding="utf-8").split()[0])


def gone(pid: int) -> bool:
    """Is the process dead, buried or not?"""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_start_stop_start_keeps_rows_and_listens_on_the_socket_only(cluster_at):
    cluster = cluster_at()
    assert cluster.status() is None
    endpoint = cluster.ensure_running()
    assert endpoint.version == str(postgres.MAJOR)
    superuser = endpoint.superuser()
    execute(superuser, "CREATE TABLE kept AS SELECT 7 AS number")
    assert execute(superuser, "SHOW listen_addresses") == [("",)]
    assert execute(
        superuser,
        "SELECT datlocprovider::text, datlocale FROM pg_database WHERE datname = 'postgres'",
    ) == [("b", "C.UTF-8")]
    first = postmaster(cluster)

    cluster.stop()
    assert cluster.status() is None
    assert gone(first)
    cluster.stop()  # stopping what is stopped is no error

    assert execute(cluster.ensure_running().superuser(), "SELECT number FROM kept") == [(7,)]


def test_only_this_account_can_read_passwords_data_and_socket(shared, logins):
    for private in (shared.data, shared.socket_dir, shared.root / "secrets", shared.root / "log"):
        assert private.stat().st_mode & 0o077 == 0, private
    for password in (shared.root / "secrets").iterdir():
        assert password.stat().st_mode & 0o777 == 0o600
        assert password.stat().st_uid == os.geteuid()
    assert shared.data.stat().st_uid != 0  # PostgreSQL never runs as root
    assert logins["web"].password not in repr(logins)


@pytest.mark.parametrize("password", ["wrong", ""])
def test_wrong_or_no_password_is_refused(logins, password):
    for login in logins.values():
        stranger = Login(login.host, login.port, login.database, login.user, password)
        with pytest.raises(psycopg.OperationalError, match="password"):
            execute(stranger, "SELECT 1")


@pytest.mark.parametrize(
    ("name", "socket_inside"),
    [("空 格", True), ('it\'s a "quoted" $one', True), ("a, comma", False), ("长" * 40, False)],
)
def test_any_path(cluster_at, name, socket_inside):
    cluster = cluster_at(name, throwaway=True)
    logins = cluster.prepare()
    assert execute(logins["web"], "SELECT current_user::text") == [("xuezheng_web",)]
    assert len(os.fsencode(cluster.socket_dir / ".s.PGSQL.5432")) <= 107
    assert (cluster.socket_dir.parent == cluster.root) is socket_inside
    assert cluster.socket_dir.stat().st_mode & 0o077 == 0


def test_strict_umask(cluster_at):
    """Under root the server's account must still read its settings."""
    before = os.umask(0o077)
    try:
        assert cluster_at(throwaway=True).ensure_running().version == str(postgres.MAJOR)
    finally:
        os.umask(before)


def test_killed_server_comes_back_with_all_committed_rows(cluster_at):
    cluster = cluster_at()
    owner = cluster.prepare()["owner"]
    execute(owner, "CREATE TABLE report (number int)")
    with psycopg.connect(owner.conninfo(), autocommit=True) as connection:
        for number in range(200):
            connection.execute("INSERT INTO report VALUES (%s)", [number])
        killed = postmaster(cluster)
        os.kill(killed, signal.SIGKILL)
        started = time.monotonic()
        cluster.ensure_running()
        assert time.monotonic() - started < 10
    assert postmaster(cluster) != killed
    assert execute(owner, "SELECT count(*), sum(number) FROM report") == [(200, 199 * 100)]


def test_start_after_a_kill_is_tried_again(cluster_at, monkeypatch):
    """Why the first one fails stands in the server's own log, where nobody looks."""
    cluster = cluster_at(throwaway=True)
    owner = cluster.prepare()["owner"]
    os.kill(postmaster(cluster), signal.SIGKILL)
    real, calls = Cluster._pg_ctl, []

    def fails_twice(self, account, *arguments):
        calls.append(arguments)
        if len(calls) < 3:
            return 1, "pg_ctl: another server might be running; trying to start server anyway"
        return real(self, account, *arguments)

    monkeypatch.setattr(Cluster, "_pg_ctl", fails_twice)
    cluster.ensure_running()
    assert len(calls) >= 3
    assert execute(owner, "SELECT 1") == [(1,)]


def test_start_that_fails_without_a_kill_says_so_at_once(cluster_at, monkeypatch):
    cluster = cluster_at(throwaway=True)
    cluster.prepare()
    cluster.stop()
    with monkeypatch.context() as patch:
        patch.setattr(Cluster, "_pg_ctl", lambda *_arguments: (1, "no such file"))
        started = time.monotonic()
        with pytest.raises(PostgresError, match="no such file"):
            cluster.ensure_running()
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("end", ["zombie", "another program"])
def test_lock_file_of_a_dead_server_does_not_stop_the_next(cluster_at, end):
    """Its number may belong to a zombie that nobody buries or, after a restart, to anything."""
    cluster = cluster_at(throwaway=True)
    cluster.ensure_running()
    lock = (cluster.data / "postmaster.pid").read_text(encoding="utf-8")
    cluster.stop()
    account = {"user": cluster.data.stat().st_uid} if AS_ROOT else {}
    other = subprocess.Popen(["sleep", "60" if end == "another program" else "0"], **account)
    try:
        while end == "zombie" and not gone(other.pid):
            time.sleep(0.01)
        left = cluster.data / "postmaster.pid"
        left.write_text(f"{other.pid}\n{lock.partition(chr(10))[2]}", encoding="utf-8")
        shutil.copy(left, cluster.socket_dir / ".s.PGSQL.5432.lock")
        assert cluster.status() is None
        assert execute(cluster.ensure_running().superuser(), "SELECT 1") == [(1,)]
    finally:
        other.kill()
        other.wait()


def test_many_starters_end_on_one_server(cluster_at):
    cluster = cluster_at(throwaway=True)
    program = (
        "import sys; from pathlib import Path; from xuezheng.config.postgres import Cluster\n"
        "import psycopg\n"
        "login = Cluster(Path(sys.argv[1]), throwaway=True).prepare()['web']\n"
        "with psycopg.connect(login.conninfo()) as c:\n"
        "    print(c.execute('SELECT pg_postmaster_start_time()').fetchone()[0])\n"
    )
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(cluster.root)],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    answers = [starter.communicate(timeout=120)[0] for starter in starters]
    assert [starter.returncode for starter in starters] == [0] * 6
    assert len(set(answers)) == 1
    assert answers[0].strip()


def test_other_major_version_is_refused_and_left_alone(cluster_at):
    cluster = cluster_at(throwaway=True)
    cluster.ensure_running()
    cluster.stop()
    (cluster.data / "PG_VERSION").write_text("17\n", encoding="ascii")
    with pytest.raises(PostgresError, match=r"PostgreSQL 17.*只用 18.*made by PostgreSQL 17"):
        cluster.ensure_running()
    assert not (cluster.data / "postmaster.pid").exists()


def test_interrupted_initdb_is_begun_again(cluster_at):
    cluster = cluster_at(throwaway=True)
    (cluster.root / "initdb" / "data").mkdir(parents=True)
    cluster.root.chmod(0o711)
    (cluster.root / "initdb" / "data" / "PG_VERSION").write_text("18\n", encoding="ascii")
    cluster.ensure_running()
    assert not (cluster.root / "initdb").exists()


def test_a_server_that_cannot_start_says_why(cluster_at):
    cluster = cluster_at(throwaway=True)
    cluster.ensure_running()
    cluster.stop()
    with (cluster.data / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        settings.write("no_such_setting = 1\n")
    started = time.monotonic()
    with pytest.raises(PostgresError, match="no_such_setting"):
        cluster.ensure_running()
    assert time.monotonic() - started < 10


def test_folder_of_another_user_is_refused(folder):
    foreign = Path("/usr")
    if AS_ROOT:
        foreign = folder / "foreign"
        foreign.mkdir()
        os.chown(foreign, 65534, 65534)
    with pytest.raises(PostgresError, match="belongs to another user"):
        Cluster(foreign).ensure_running()


def test_folder_below_a_closed_one(cluster_at):
    """Root's server runs under another account, which could not get in; a user's own can."""
    cluster = cluster_at(throwaway=True)
    cluster.root.parent.chmod(0o700)
    if AS_ROOT:
        with pytest.raises(PostgresError, match="cannot enter it"):
            cluster.ensure_running()
    else:
        assert cluster.ensure_running().version == str(postgres.MAJOR)


def test_short_socket_folder_made_by_somebody_else_is_refused(cluster_at):
    cluster = cluster_at("长" * 40, throwaway=True)
    cluster.socket_dir.mkdir(mode=0o755)
    with pytest.raises(PostgresError, match="not a private folder"):
        cluster.ensure_running()


def test_web_and_worker_use_tables_but_do_not_own_the_database(logins):
    for name in ("web", "worker"):
        login = logins[name]
        execute(login, f"INSERT INTO plain (name) VALUES ('{name}')")
        execute(login, "CREATE TEMPORARY TABLE import (LIKE plain)")
        assert execute(login, "SELECT count(*) FROM fenced") == [(0,)]
        for forbidden in (
            "CREATE TABLE own (id int)",
            "DROP TABLE plain",
            "ALTER TABLE plain ADD COLUMN more int",
            "TRUNCATE plain",
            "CREATE DATABASE other",
            "CREATE ROLE other",
            "SET ROLE xuezheng_owner",
        ):
            with (
                psycopg.connect(login.conninfo(), autocommit=True) as connection,
                pytest.raises(errors.InsufficientPrivilege),
            ):
                connection.execute(forbidden)
    powerful = execute(
        logins["owner"],
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'xuezheng%'"
        " AND (rolsuper OR rolcreaterole OR rolreplication)",
    )
    assert powerful == []


def test_owner_can_become_web_for_a_transaction(logins):
    assert execute(logins["owner"], "SET LOCAL ROLE xuezheng_web", "SELECT current_user::text") == [
        ("xuezheng_web",)
    ]


def test_schema_made_later_is_open_to_web(logins):
    execute(logins["owner"], "CREATE SCHEMA facts", "CREATE VIEW facts.one AS SELECT 1 AS number")
    assert execute(logins["web"], "SELECT number FROM facts.one") == [(1,)]


def test_backup_reads_everything_and_writes_nothing(logins):
    login = logins["backup"]
    with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
        execute(login, "SET transaction_read_only = off", "INSERT INTO plain (name) VALUES ('x')")
    dump = subprocess.run(
        [str(postgres.tool("pg_dump")), "--no-password", f"--dbname={login.conninfo()}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "behind the policy" in dump.stdout


def test_public_may_not_connect(shared, logins):
    superuser = shared.ensure_running().superuser()
    execute(superuser, "CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
    for database in ("xuezheng", "postgres"):
        stranger = Login(superuser.host, superuser.port, database, "stranger", "stranger")
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            execute(stranger, "SELECT 1")


def test_cloned_database_has_rows_and_grants(shared, logins):
    superuser = shared.ensure_running().superuser()
    ensure_database(superuser, "template_of_tests")
    execute(logins["owner"].to("template_of_tests"), "CREATE TABLE seeded AS SELECT 3 AS number")
    ensure_database(superuser, "clone", template="template_of_tests")
    assert execute(logins["web"].to("clone"), "SELECT number FROM seeded") == [(3,)]


def test_login_is_known_without_a_running_server(shared, logins, folder):
    assert shared.login("web") == logins["web"]
    with pytest.raises(PostgresError, match="no database yet"):
        Cluster(folder / "nothing here").login("web")


def test_roles_keep_their_passwords_when_prepared_again(shared, logins):
    assert shared.prepare() == logins


def test_log_holds_no_statement_and_no_value(shared, logins):
    """Django binds on the client: statements, details and messages of errors hold personal data."""
    marker = "personal-marker-4711"
    for statement in (
        f"INSERT INTO plain (name) VALUES ('{marker}'), ('{marker}')",
        f"SELECT '{marker}'::int",
        f"SELECT no_such_column FROM plain WHERE name = '{marker}'",
    ):
        with pytest.raises(psycopg.Error):
            execute(logins["web"], statement)
    shared.stop()  # flushes the log
    logs = list((shared.root / "log").iterdir())
    assert any("shut down" in log.read_text(encoding="utf-8") for log in logs)
    for log in [*logs, shared.root / "start.log"]:
        assert marker not in log.read_text(encoding="utf-8")
    shared.ensure_running()


def test_default_location_is_one_for_each_checkout(monkeypatch, tmp_path):
    monkeypatch.delenv("XUEZHENG_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    base = Path("/var/lib") if AS_ROOT else tmp_path
    assert postgres.location().parent == base / "xuezheng"
    monkeypatch.setenv("XUEZHENG_DATA_DIR", "/srv/somewhere")
    assert postgres.location() == Path("/srv/somewhere")
    assert postgres.location(tmp_path) == tmp_path
