"""Watches what all registrations of a season share, so that a process need not read it each time."""

from django.db import migrations

from xuezheng.kernel.reference.changes import unwatch, watch

TABLES = (
    "admissions_zone",
    "admissions_zonepart",
    "admissions_zone_schools",
    "admissions_intake",
    "admissions_redirection",
    "registry_community",
    # Whose own parameters apply.
    "access_organisation",
    "access_organisationedge",
)


class Migration(migrations.Migration):
    dependencies = [
        ("admissions", "0002_reach"),
        ("reference", "0002_changes"),
    ]
    operations = [migrations.RunSQL(watch(*TABLES), unwatch(*TABLES))]
