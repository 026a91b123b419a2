"""Failures are written by workers, backups by the command: pages only read them."""

from django.db import migrations

FORWARD = """
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON jobs_failure, jobs_backup FROM xuezheng_web;
REVOKE UPDATE, TRUNCATE ON jobs_failure FROM xuezheng_worker;
REVOKE UPDATE, DELETE, TRUNCATE ON jobs_backup FROM xuezheng_worker;
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
