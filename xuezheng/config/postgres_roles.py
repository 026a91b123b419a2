"""Roles and databases of an embedded cluster, and how to log into them.

`owner` migrates and owns every table; `web` and `worker` use the tables and own none; `backup`
reads everything, also behind row-level policies, and writes nothing.  Everything here may be
repeated: it makes what is missing and puts right what is not.
"""

import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

DATABASE = "xuezheng"
#: short name -> database role
ROLES = {
    "owner": "xuezheng_owner",
    "web": "xuezheng_web",
    "worker": "xuezheng_worker",
    "backup": "xuezheng_backup",
}
_ADVISORY_LOCK = 5_823_001


@dataclass(frozen=True)
class Login:
    """One role's way into one database over the Unix socket."""

    host: str
    port: int
    database: str
    user: str
    password: str

    def conninfo(self) -> str:
        """The libpq connection string; holds the password, so it must not be logged."""
        return make_conninfo(
            host=self.host,
            port=self.port,
            dbname=self.database,
            user=self.user,
            password=self.password,
        )

    def to(self, database: str) -> "Login":
        """The same role in another database."""
        return replace(self, database=database)

    def __repr__(self) -> str:
        return f"Login({self.user}@{self.host}/{self.database})"


def ensure_roles(
    superuser: Login, secrets_dir: Path, *, owner_creates_databases: bool = False
) -> dict[str, Login]:
    """Make the roles with the passwords of `secrets_dir` (generated where missing).

    Returns one Login for each short name of ROLES, to the superuser's database.  The owner is a
    member of web and worker, so that migrations and tests can `SET ROLE` to them.
    """
    logins = {
        name: replace(
            superuser,
            user=role,
            password=stored_password(secrets_dir / role).read_text(encoding="ascii"),
        )
        for name, role in ROLES.items()
    }
    with psycopg.connect(superuser.conninfo()) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        existing = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        for name, login in logins.items():
            verifier = connection.pgconn.encrypt_password(
                login.password.encode(), login.user.encode(), b"scram-sha-256"
            )
            statement = (
                "ALTER ROLE {} " if login.user in existing else "CREATE ROLE {} "
            ) + "LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION {} {} PASSWORD {}"
            creates = name == "owner" and owner_creates_databases
            connection.execute(
                sql.SQL(statement).format(
                    sql.Identifier(login.user),
                    sql.SQL("CREATEDB" if creates else "NOCREATEDB"),
                    sql.SQL("BYPASSRLS" if name == "backup" else "NOBYPASSRLS"),
                    sql.Literal(verifier.decode()),
                )
            )
        connection.execute("GRANT xuezheng_web, xuezheng_worker TO xuezheng_owner")
        connection.execute("GRANT pg_read_all_data TO xuezheng_backup")
        connection.execute("ALTER ROLE xuezheng_backup SET default_transaction_read_only = on")
    return logins


def ensure_database(superuser: Login, name: str, *, template: str = "template0") -> None:
    """Make a database of the owner that web, worker and backup may use, or put its grants right.

    Tables, sequences and schemas that the owner makes later are open to web and worker; migrations
    narrow that.  With another `template` that database is cloned file by file: nobody may be
    connected to it.
    """
    database = sql.Identifier(name)
    with psycopg.connect(superuser.conninfo(), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
        if not found:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER xuezheng_owner TEMPLATE {} STRATEGY {}").format(
                    database,
                    sql.Identifier(template),
                    sql.SQL("wal_log" if template == "template0" else "file_copy"),
                )
            )
        for statement in (
            "REVOKE ALL ON DATABASE postgres, {} FROM PUBLIC",
            "GRANT CONNECT ON DATABASE {} TO xuezheng_web, xuezheng_worker, xuezheng_backup",
            # Imports copy into a temporary table first.
            "GRANT TEMPORARY ON DATABASE {} TO xuezheng_web, xuezheng_worker",
        ):
            connection.execute(sql.SQL(statement).format(database))
    with psycopg.connect(superuser.to(name).conninfo()) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        for statement in (
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
            "GRANT USAGE ON SCHEMA public TO xuezheng_web, xuezheng_worker",
            *default_privileges("GRANT"),
        ):
            connection.execute(statement)


def default_privileges(word: str) -> list[str]:
    """Statements that GRANT to web and worker what the owner makes later, or REVOKE that."""
    to = "TO" if word == "GRANT" else "FROM"
    rights = {
        "TABLES": "SELECT, INSERT, UPDATE, DELETE",
        "SEQUENCES": "USAGE",
        "SCHEMAS": "USAGE",
    }
    return [
        f"ALTER DEFAULT PRIVILEGES FOR ROLE xuezheng_owner {word} {right} ON {kind}"
        f" {to} xuezheng_web, xuezheng_worker"
        for kind, right in rights.items()
    ]


def stored_password(path: Path) -> Path:
    """A 0600 file with a password, generated at the first call; complete when it appears."""
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as made:
            made.write(secrets.token_urlsafe(32))
            made.flush()
            with suppress(FileExistsError):  # another starter was first: his stays
                os.link(made.name, path)
    return path
