"""Frozen lines and minutes are only ever added to; freezes, draws, runs and offers are never deleted."""

from django.db import migrations, models

FORWARD = """
REVOKE UPDATE, DELETE, TRUNCATE ON admissions_leaf, admissions_drawstep
    FROM xuezheng_web, xuezheng_worker;
REVOKE DELETE, TRUNCATE ON admissions_freeze, admissions_draw, admissions_allocation,
    admissions_offer FROM xuezheng_web, xuezheng_worker;
"""


class Migration(migrations.Migration):
    dependencies = [("admissions", "0060_ground")]
    operations = [
        migrations.AlterField("leaf", "text", models.CharField(max_length=2000)),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
