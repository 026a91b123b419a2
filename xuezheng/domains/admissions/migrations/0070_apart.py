from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("admissions", "0052_sibling")]
    operations = [
        migrations.AddField(
            model_name="rollentry",
            name="apart_from",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
