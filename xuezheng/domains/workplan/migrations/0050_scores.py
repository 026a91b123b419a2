"""Quarterly scores of offices: sheets, lines, events, contests."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0003_family"),
        ("cases", "0002_number_sequence"),
        ("files", "0001_initial"),
        ("workplan", "0020_plan_desk"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ScoreLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ("order", models.PositiveIntegerField()),
                ("total", models.SmallIntegerField()),
                (
                    "office",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.organisation",
                    ),
                ),
            ],
            options={
                "ordering": ["order", "id"],
            },
        ),
        migrations.CreateModel(
            name="ScoreEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=16)),
                ("points", models.SmallIntegerField()),
                ("on", models.DateField()),
                ("title", models.CharField(max_length=300)),
                ("origin", models.CharField(max_length=60)),
                ("struck", models.BooleanField(default=False)),
                ("struck_reason", models.CharField(blank=True, max_length=500)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="files.storedfile",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.case",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="workplan.scoreline",
                    ),
                ),
            ],
            options={
                "ordering": ["on", "id"],
            },
        ),
        migrations.CreateModel(
            name="ScoreSheet",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="score_sheet",
                        serialize=False,
                        to="cases.case",
                    ),
                ),
                ("state", models.CharField(max_length=24)),
                ("year", models.PositiveIntegerField()),
                ("quarter", models.PositiveSmallIntegerField()),
                ("version", models.PositiveSmallIntegerField(default=1)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("base", models.PositiveSmallIntegerField()),
                ("rules", models.JSONField(default=dict)),
                ("contest_until", models.DateField(null=True)),
                ("published_on", models.DateField(null=True)),
                (
                    "bureau",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.organisation",
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="workplan.scoresheet",
                    ),
                ),
            ],
            options={
                "ordering": ["-year", "-quarter", "-version"],
            },
        ),
        migrations.AddField(
            model_name="scoreline",
            name="sheet",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="lines",
                to="workplan.scoresheet",
            ),
        ),
        migrations.CreateModel(
            name="ScoreContest",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="score_contest",
                        serialize=False,
                        to="cases.case",
                    ),
                ),
                ("state", models.CharField(max_length=24)),
                ("reason", models.TextField(max_length=1000)),
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contest",
                        to="workplan.scoreevent",
                    ),
                ),
            ],
            options={
                "ordering": ["-case_id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["asked", "upheld", "struck"])),
                        name="score_contest_state_known",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="scoreevent",
            constraint=models.UniqueConstraint(fields=("line", "origin"), name="score_event_once"),
        ),
        migrations.AddConstraint(
            model_name="scoreevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("document__isnull", False),
                        ("kind", "hand"),
                        ("source__isnull", True),
                    ),
                    models.Q(
                        models.Q(
                            ("kind", "hand"),
                            _negated=True,
                        ),
                        ("document__isnull", True),
                        ("source__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="score_event_opens_on_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="scoreevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("confirmed_by__isnull", True),
                    models.Q(("confirmed_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="score_event_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="scoreevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("struck", False),
                    models.Q(("struck_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="score_struck_has_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="scoresheet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["draft", "shown", "waiting", "published", "withdrawn"])
                ),
                name="score_sheet_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="scoresheet",
            constraint=models.CheckConstraint(
                condition=models.Q(("quarter__range", (1, 4))), name="score_quarter_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="scoresheet",
            constraint=models.UniqueConstraint(
                fields=("bureau", "year", "quarter", "version"), name="score_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="scoresheet",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["published", "withdrawn"]), _negated=True),
                fields=("bureau", "year", "quarter"),
                name="one_open_score_sheet",
            ),
        ),
        migrations.AddConstraint(
            model_name="scoreline",
            constraint=models.UniqueConstraint(fields=("sheet", "office"), name="score_line_once"),
        ),
    ]
