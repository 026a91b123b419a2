"""Systems by unit, aliases of units, and which numbers are taken out of reach.

`registry_numbers_taken` looks past the row-level policies and tells of each sealed number only whether
a live pupil has it: an import says "already registered elsewhere" and names no school.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FUNCTION = "registry_numbers_taken(text[], text[])"
TAKEN = """
CREATE FUNCTION registry_numbers_taken(ids text[], students text[])
RETURNS TABLE (sealed text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public SET enable_nestloop = off AS $$
    -- A hash join whatever the planner believes of a table that is just being filled: a list that is a
    -- parameter, or the inner side of a loop, is searched from end to end for every row.
    SELECT asked.number FROM unnest(ids) asked (number)
    JOIN registry_pupil pupil ON pupil.id_number = asked.number
    WHERE pupil.merged_into_id IS NULL
    UNION ALL
    SELECT asked.number FROM unnest(students) asked (number)
    JOIN registry_pupil pupil ON pupil.student_number = asked.number
    WHERE pupil.merged_into_id IS NULL
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0001_initial"),
        ("registry", "0002_reach"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="SiteAlias",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100, unique=True)),
                ("matched_at", models.DateTimeField(auto_now=True)),
                (
                    "matched_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="access.organisation",
                    ),
                ),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.CreateModel(
            name="SystemSwitch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ("system", models.CharField(max_length=40)),
                ("on_from", models.DateField(blank=True, null=True)),
                ("off_from", models.DateField(blank=True, null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="switches",
                        to="access.organisation",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="systemswitch",
            constraint=models.UniqueConstraint(
                fields=("system", "organisation"), name="switch_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="systemswitch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("off_from__isnull", True),
                    ("off_from__gt", models.F("on_from")),
                    _connector="OR",
                ),
                name="switch_forward",
            ),
        ),
        migrations.RunSQL(
            [
                TAKEN,
                f"REVOKE ALL ON FUNCTION {FUNCTION} FROM PUBLIC",
                f"GRANT EXECUTE ON FUNCTION {FUNCTION} TO xuezheng_web, xuezheng_worker",
            ],
            reverse_sql=f"DROP FUNCTION {FUNCTION}",
        ),
    ]
