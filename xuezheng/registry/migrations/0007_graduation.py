"""A school lets its own leaving class go, which row-level policies refuse a plain UPDATE.

`registry_let_go` takes pupils off the rolls: only those in the reach of whoever acts, only those whose
placements have ended before, only as graduated (07) or completed without diploma (08).
"""

from django.db import migrations

LET_GO = """
CREATE FUNCTION registry_let_go(keys uuid[], way text) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public AS $$
    WITH gone AS (
        UPDATE registry_pupil pupil
        SET organisation_id = NULL, school_class_id = NULL, status = way,
            version = version + 1, updated_at = now()
        WHERE pupil.id = ANY (keys) AND way IN ('07', '08')
            AND (
                current_setting('xuezheng.pupils_all', true) = '1'
                OR pupil.organisation_id = ANY (string_to_array(
                    nullif(current_setting('xuezheng.pupils_orgs', true), ''), ',')::bigint[])
            )
            AND NOT EXISTS (
                SELECT 1 FROM registry_placement running
                WHERE running.pupil_id = pupil.id AND running.valid_to IS NULL
            )
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$
"""
NAME = "registry_let_go(uuid[], text)"
STATEMENTS = [
    LET_GO,
    f"REVOKE ALL ON FUNCTION {NAME} FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION {NAME} TO xuezheng_web",
]


class Migration(migrations.Migration):
    dependencies = [("registry", "0006_lists_by_name")]
    operations = [migrations.RunSQL(STATEMENTS, reverse_sql=f"DROP FUNCTION {NAME}")]
