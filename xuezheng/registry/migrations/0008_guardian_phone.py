"""The guardian of a telephone is found without reading all guardians."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("registry", "0007_graduation")]
    operations = [
        migrations.AddIndex(
            model_name="guardian",
            index=models.Index(
                fields=["phone"],
                condition=Q(merged_into__isnull=True, phone__isnull=False),
                name="guardian_by_phone",
            ),
        ),
    ]
