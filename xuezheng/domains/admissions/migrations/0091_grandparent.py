from django.db import migrations

from xuezheng.kernel.access.ciphers import SealedField


class Migration(migrations.Migration):
    dependencies = [("admissions", "0090_twin_wish")]
    operations = [
        migrations.AddField(
            model_name="application",
            name="grandparent",
            field=SealedField(blank=True, max_length=255, null=True),
        ),
    ]
