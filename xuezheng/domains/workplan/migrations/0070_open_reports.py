from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workplan", "0050_scores")]

    operations = [
        migrations.AddIndex(
            model_name="roundreport",
            index=models.Index(
                condition=models.Q(("state__in", ["accepted", "missed"]), _negated=True),
                fields=["state", "round"],
                name="round_report_open",
            ),
        ),
    ]
