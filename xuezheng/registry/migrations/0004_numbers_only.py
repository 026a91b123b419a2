"""Two functions that look past the row-level policies and give away no child.

`registry_headcount` gives numbers of pupils by school and class: leaders see these, never a row.
`registry_pupil_with_number` says which key holds a whole (sealed) identity or pupil-status number:
a school is told "already registered", an auditor finds whose record was looked at.
"""

from django.db import migrations

HEADCOUNT = """
CREATE FUNCTION registry_headcount(orgs bigint[])
RETURNS TABLE (organisation_id bigint, school_class_id bigint, pupils bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT pupil.organisation_id, pupil.school_class_id, count(*)
    FROM registry_pupil pupil
    WHERE pupil.organisation_id = ANY (orgs) AND pupil.merged_into_id IS NULL
        AND pupil.status IN ('01', '02', '05', '12')
    GROUP BY 1, 2
$$
"""
WITH_NUMBER = """
CREATE FUNCTION registry_pupil_with_number(sealed text[])
RETURNS TABLE (id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT pupil.id FROM registry_pupil pupil
    WHERE pupil.merged_into_id IS NULL
        AND (pupil.id_number = ANY (sealed) OR pupil.student_number = ANY (sealed))
$$
"""
FUNCTIONS = ("registry_headcount(bigint[])", "registry_pupil_with_number(text[])")


def sql() -> list[str]:
    statements = [HEADCOUNT, WITH_NUMBER]
    for function in FUNCTIONS:
        statements += [
            f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION {function} TO xuezheng_web, xuezheng_worker",
        ]
    return statements


class Migration(migrations.Migration):
    dependencies = [("registry", "0003_switches")]
    operations = [migrations.RunSQL(sql(), reverse_sql=migrations.RunSQL.noop)]
