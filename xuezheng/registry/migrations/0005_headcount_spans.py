"""Numbers of pupils by school, class and span of days, for figures; they give away no child.

Leaders look at the rows behind a figure of classes and schools, while row-level policies show them no
pupil: the numbers come through this function, which looks past the policies.
"""

from django.db import migrations

SPANS = """
CREATE FUNCTION registry_headcount_spans()
RETURNS TABLE (
    organisation_id bigint, school_class_id bigint, valid_from date, valid_to date, pupils integer
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public ROWS 10000 AS $$
    SELECT placement.organisation_id, placement.school_class_id, placement.valid_from,
        placement.valid_to, CAST(count(*) AS integer)
    FROM registry_placement placement
    JOIN registry_pupil pupil ON pupil.id = placement.pupil_id AND pupil.merged_into_id IS NULL
    GROUP BY 1, 2, 3, 4
$$
"""


class Migration(migrations.Migration):
    dependencies = [("registry", "0004_numbers_only")]
    operations = [
        migrations.RunSQL(
            [
                SPANS,
                "REVOKE ALL ON FUNCTION registry_headcount_spans() FROM PUBLIC",
                "GRANT EXECUTE ON FUNCTION registry_headcount_spans()"
                " TO xuezheng_web, xuezheng_worker",
            ],
            reverse_sql="DROP FUNCTION IF EXISTS registry_headcount_spans()",
        )
    ]
