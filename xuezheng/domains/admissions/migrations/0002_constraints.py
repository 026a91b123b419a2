"""Constraints and indexes of the first models."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("admissions", "0001_initial")]

    operations = [
        migrations.AddConstraint(
            model_name='draw',
            constraint=models.UniqueConstraint(condition=models.Q(('rehearsal', False), models.Q(('state', 'void'), _negated=True)), fields=('freeze',), name='one_draw_in_force'),
        ),
        migrations.AddConstraint(
            model_name='choice',
            constraint=models.UniqueConstraint(fields=('application', 'rank'), name='choice_rank_once'),
        ),
        migrations.AddConstraint(
            model_name='choice',
            constraint=models.UniqueConstraint(fields=('application', 'intake'), name='choice_school_once'),
        ),
        migrations.AddConstraint(
            model_name='leaf',
            constraint=models.UniqueConstraint(fields=('freeze', 'index'), name='leaf_index_once'),
        ),
        migrations.AddConstraint(
            model_name='leaf',
            constraint=models.UniqueConstraint(fields=('freeze', 'application'), name='leaf_once'),
        ),
        migrations.AddConstraint(
            model_name='offer',
            constraint=models.UniqueConstraint(fields=('allocation', 'application'), name='offer_once'),
        ),
        migrations.AddConstraint(
            model_name='party',
            constraint=models.UniqueConstraint(condition=models.Q(('main', True)), fields=('application',), name='one_main_party'),
        ),
        migrations.AddConstraint(
            model_name='party',
            constraint=models.UniqueConstraint(condition=models.Q(('user__isnull', False)), fields=('application', 'user'), name='party_user_once'),
        ),
        migrations.AddConstraint(
            model_name='redirection',
            constraint=models.UniqueConstraint(fields=('intake', 'rank'), name='redirection_rank_once'),
        ),
        migrations.AddConstraint(
            model_name='redirection',
            constraint=models.UniqueConstraint(fields=('intake', 'target'), name='redirection_target_once'),
        ),
        migrations.AddConstraint(
            model_name='redirection',
            constraint=models.CheckConstraint(condition=models.Q(('intake', models.F('target')), _negated=True), name='redirection_elsewhere'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['asked', 'upheld', 'changed'])), name='review_state_known'),
        ),
        migrations.AddConstraint(
            model_name='followup',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['contacting', 'reported', 'settled'])), name='follow_up_state_known'),
        ),
        migrations.AddConstraint(
            model_name='ruleset',
            constraint=models.UniqueConstraint(fields=('organisation', 'name', 'number'), name='rule_set_version_once'),
        ),
        migrations.AddConstraint(
            model_name='season',
            constraint=models.UniqueConstraint(fields=('organisation', 'year', 'level'), name='season_once'),
        ),
        migrations.AddConstraint(
            model_name='season',
            constraint=models.CheckConstraint(condition=models.Q(('opens_at__isnull', True), ('closes_at__isnull', True), ('closes_at__gt', models.F('opens_at')), _connector='OR'), name='season_forward'),
        ),
        migrations.AddIndex(
            model_name='rollentry',
            index=models.Index(fields=['season', 'outcome', 'town'], name='roll_by_outcome'),
        ),
        migrations.AddIndex(
            model_name='rollentry',
            index=models.Index(fields=['season', 'initials', 'name'], name='roll_by_name'),
        ),
        migrations.AddIndex(
            model_name='rollentry',
            index=models.Index(fields=['id_tail'], name='roll_by_tail'),
        ),
        migrations.AddConstraint(
            model_name='rollentry',
            constraint=models.UniqueConstraint(fields=('season', 'id_kind', 'id_number'), name='roll_child_once'),
        ),
        migrations.AddConstraint(
            model_name='rollentry',
            constraint=models.UniqueConstraint(fields=('season', 'code'), name='roll_code_once'),
        ),
        migrations.AddConstraint(
            model_name='reservedentry',
            constraint=models.UniqueConstraint(fields=('season', 'list_code', 'id_number'), name='reserved_once'),
        ),
        migrations.AddConstraint(
            model_name='pathrequest',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['asked', 'examined', 'granted', 'refused', 'withdrawn'])), name='path_state_known'),
        ),
        migrations.AddConstraint(
            model_name='intake',
            constraint=models.UniqueConstraint(fields=('season', 'school'), name='intake_once'),
        ),
        migrations.AddConstraint(
            model_name='freeze',
            constraint=models.UniqueConstraint(condition=models.Q(('void_reason', '')), fields=('season',), name='one_freeze_in_force'),
        ),
        migrations.AddConstraint(
            model_name='consultation',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'offices', 'public', 'legality', 'meeting', 'published', 'dropped'])), name='consultation_state_known'),
        ),
        migrations.AddConstraint(
            model_name='consultation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'published'), _negated=True), models.Q(models.Q(('meeting_number', ''), _negated=True), models.Q(('document_number', ''), _negated=True), ('published_on__isnull', False)), _connector='OR'), name='consultation_published_by_meeting'),
        ),
        migrations.AddIndex(
            model_name='application',
            index=models.Index(fields=['season', 'state'], name='application_by_state'),
        ),
        migrations.AddConstraint(
            model_name='application',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['submitted', 'correcting', 'verified', 'placed', 'unplaced', 'arrived', 'declined', 'absent', 'withdrawn', 'void'])), name='application_state_known'),
        ),
        migrations.AddConstraint(
            model_name='application',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['withdrawn', 'void', 'declined']), _negated=True), fields=('entry',), name='one_live_application'),
        ),
        migrations.AddConstraint(
            model_name='allocation',
            constraint=models.CheckConstraint(condition=models.Q(('published_at__isnull', True), ('what_if', ''), _connector='OR'), name='what_if_is_never_published'),
        ),
        migrations.AddConstraint(
            model_name='allocation',
            constraint=models.UniqueConstraint(condition=models.Q(('published_at__isnull', False)), fields=('season', 'round'), name='one_published_allocation_a_round'),
        ),
        migrations.AddConstraint(
            model_name='zone',
            constraint=models.UniqueConstraint(fields=('season', 'code'), name='zone_code_once'),
        ),
        migrations.AddConstraint(
            model_name='zonepart',
            constraint=models.CheckConstraint(condition=models.Q(('first__isnull', True), ('last__isnull', True), ('last__gte', models.F('first')), _connector='OR'), name='zone_part_forward'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(('grade__range', (1, 5))), name='rating_one_to_five'),
        ),
    ]
