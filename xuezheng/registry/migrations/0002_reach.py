"""Row-level policies: a child's rows are there only for whoever reaches the child's school.

`kernel/access/fence.py` sets xuezheng.pupils_all and xuezheng.pupils_orgs for each transaction; where
they are not set nothing is seen.  The sub-selects are evaluated once per statement, not per row.
"""

from django.db import migrations

PUPIL = """
(SELECT current_setting('xuezheng.pupils_all', true)) = '1'
OR organisation_id = ANY ((
    SELECT string_to_array(nullif(current_setting('xuezheng.pupils_orgs', true), ''), ',')::bigint[]
)::bigint[])
"""
#: table -> condition on its rows; that of a pupil's rows is the pupil's own.
BY_PUPIL = "EXISTS (SELECT 1 FROM registry_pupil pupil WHERE pupil.id = pupil_id)"
POLICIES = {
    "registry_pupil": PUPIL,
    "registry_placement": BY_PUPIL,
    "registry_guardianship": BY_PUPIL,
    "registry_residence": BY_PUPIL,
}
SEEN = """(SELECT current_setting('xuezheng.pupils_all', true)) = '1'
OR EXISTS (SELECT 1 FROM registry_guardianship held WHERE held.guardian_id = registry_guardian.id)"""


def sql() -> list[str]:
    statements = []
    for table, condition in POLICIES.items():
        statements += [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"CREATE POLICY reach ON {table} USING ({condition})",
        ]
    # A guardian is written before the guardianship that makes the row visible.
    statements += [
        "ALTER TABLE registry_guardian ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY reach ON registry_guardian USING ({SEEN}) WITH CHECK (true)",
    ]
    return statements


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]
    operations = [migrations.RunSQL(sql(), reverse_sql=migrations.RunSQL.noop)]
