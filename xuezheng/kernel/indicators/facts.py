"""Building schema `facts`: one view per facts/*.sql of the installed systems.

Views are no migrations, because a view blocks altering the columns that it reads:
`xuezheng migrate` drops the schema, migrates, and rebuilds it from the files.
"""

from pathlib import Path

from django.apps import apps
from django.db import connection

READERS = ("xuezheng_web", "xuezheng_worker")


def fact_files() -> dict[str, Path]:
    """View name -> file.  Raises ValueError when two systems use one name."""
    files: dict[str, Path] = {}
    for config in apps.get_app_configs():
        for path in sorted(Path(config.path, "facts").glob("*.sql")):
            if files.setdefault(path.stem, path) is not path:
                raise ValueError(f"two facts named {path.stem}")
    return files


def drop_facts() -> None:
    """Remove the schema with its views."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS facts CASCADE")


def build_facts() -> list[str]:
    """Create the schema and its views, readable by web and worker.  Returns the view names."""
    drop_facts()
    files = fact_files()
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA facts")
        for name, path in files.items():
            # security_invoker: the view must not lend its owner's rights past row policies.
            cursor.execute(
                f'CREATE VIEW facts."{name}" WITH (security_invoker = true) AS\n'
                + path.read_text(encoding="utf-8")
            )
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(READERS)])
        for (role,) in cursor.fetchall():
            cursor.execute(f"GRANT USAGE ON SCHEMA facts TO {role}")
            cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA facts TO {role}")
    return list(files)
