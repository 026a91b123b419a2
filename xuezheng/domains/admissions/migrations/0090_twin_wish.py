from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("admissions", "0070_apart")]
    operations = [
        migrations.AddField(
            model_name="application",
            name="twin_wish",
            field=models.CharField(blank=True, default="", max_length=6),
            preserve_default=False,
        ),
    ]
