"""Lists by name, their counts and searches are answered by the index alone."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("registry", "0005_headcount_spans")]
    operations = [
        migrations.RemoveIndex(model_name="pupil", name="pupil_by_name"),
        migrations.AddIndex(
            model_name="pupil",
            index=models.Index(
                fields=["initials", "name", "id"],
                include=["organisation", "status"],
                condition=Q(merged_into__isnull=True),
                name="pupil_by_name",
            ),
        ),
        migrations.RemoveIndex(model_name="guardian", name="guardian_by_name"),
        migrations.AddIndex(
            model_name="guardian",
            index=models.Index(
                fields=["initials", "name", "id"],
                condition=Q(merged_into__isnull=True),
                name="guardian_by_name",
            ),
        ),
    ]
