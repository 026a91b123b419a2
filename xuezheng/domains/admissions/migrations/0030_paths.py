"""Whoever decides on requests beside the regular way reaches them, and nothing else of children."""

from django.db import migrations

REACH = """
ALTER POLICY reach ON admissions_pathrequest USING (
    (SELECT current_setting('xuezheng.admissions_all', true)) = '1'
    OR (SELECT current_setting('xuezheng.paths_all', true)) = '1'
    OR applicant_id = (SELECT nullif(current_setting('xuezheng.person', true), '')::bigint)
    OR EXISTS (SELECT 1 FROM cases_case c WHERE c.id = case_id AND c.organisation_id = ANY (
        ((SELECT string_to_array(nullif(
            current_setting('xuezheng.admissions_orgs', true), ''), ',')::bigint[])::bigint[])
        || ((SELECT string_to_array(nullif(
            current_setting('xuezheng.paths_orgs', true), ''), ',')::bigint[])::bigint[])))
)
"""


class Migration(migrations.Migration):
    dependencies = [("admissions", "0040_append_only")]
    operations = [migrations.RunSQL(REACH, reverse_sql=migrations.RunSQL.noop)]
