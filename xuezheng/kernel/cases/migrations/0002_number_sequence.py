"""The sequence of case numbers, and moves that nobody rewrites."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE cases_number", "DROP SEQUENCE cases_number"),
        migrations.RunSQL(
            "REVOKE DELETE, TRUNCATE ON cases_case, cases_move, cases_caseclock"
            " FROM xuezheng_web, xuezheng_worker",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            "REVOKE UPDATE ON cases_move FROM xuezheng_web, xuezheng_worker;"
            "GRANT UPDATE (bars_next) ON cases_move TO xuezheng_web, xuezheng_worker",
            migrations.RunSQL.noop,
        ),
    ]
