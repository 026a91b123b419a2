"""The trail is append-only for the program's roles; the worker may only set the seal."""

from django.db import migrations

FORWARD = """
REVOKE UPDATE, DELETE, TRUNCATE ON audit_entry, audit_seal FROM xuezheng_web, xuezheng_worker;
REVOKE INSERT ON audit_seal FROM xuezheng_web;
GRANT UPDATE (seal_id) ON audit_entry TO xuezheng_worker;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
