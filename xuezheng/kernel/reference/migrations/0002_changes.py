"""Notes of the transactions that wrote to watched tables; kernel/reference/changes.py says what for."""

from django.db import migrations

from xuezheng.kernel.reference.changes import unwatch, watch

# One row for a transaction, which no other transaction touches: nobody waits for anybody.
NOTES = """
CREATE SEQUENCE reference_change_number;
CREATE TABLE reference_change (transaction xid8 PRIMARY KEY, number bigint NOT NULL);
CREATE FUNCTION reference_note_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    INSERT INTO reference_change (transaction, number)
    VALUES (pg_current_xact_id(), nextval('reference_change_number'))
    ON CONFLICT (transaction) DO UPDATE SET number = excluded.number;
    RETURN NULL;
END $$;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON reference_change FROM xuezheng_web, xuezheng_worker
"""
TABLES = ("reference_parameter", "reference_calendarday")


class Migration(migrations.Migration):
    dependencies = [("reference", "0001_initial")]
    operations = [
        migrations.RunSQL(
            NOTES,
            "DROP FUNCTION reference_note_change(); DROP TABLE reference_change;"
            " DROP SEQUENCE reference_change_number",
        ),
        migrations.RunSQL(watch(*TABLES), unwatch(*TABLES)),
    ]
