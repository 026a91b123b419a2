"""Row-level policies: a family reaches its own application, a school those in its care, nobody else's.

`kernel/access/fence.py` sets xuezheng.admissions_all and _orgs (who sees applications), xuezheng.roll_all
and _orgs (who follows children up) and xuezheng.person.  Two functions run with the owner's rights,
because a family must be able to claim a child's entry without being able to look for one.
"""

from django.db import migrations

ALL = "(SELECT current_setting('xuezheng.admissions_all', true)) = '1'"
ORGS = """((SELECT string_to_array(
    nullif(current_setting('xuezheng.admissions_orgs', true), ''), ',')::bigint[])::bigint[])"""
TOWNS = """((SELECT string_to_array(
    nullif(current_setting('xuezheng.roll_orgs', true), ''), ',')::bigint[])::bigint[])"""
PERSON = "(SELECT nullif(current_setting('xuezheng.person', true), '')::bigint)"
OF_CASE = f"""EXISTS (SELECT 1 FROM cases_case c
    WHERE c.id = {{key}} AND c.organisation_id = ANY ({ORGS}))"""
APPLICATION = f"""{ALL} OR applicant_id = {PERSON} OR {OF_CASE.format(key="case_id")}
    OR EXISTS (SELECT 1 FROM admissions_party p
        WHERE p.application_id = case_id AND p.user_id = {PERSON} AND p.confirmed)"""
#: Refers to no application, whose own policy refers to parties.
PARTY = f"{ALL} OR user_id = {PERSON} OR {OF_CASE.format(key='application_id')}"
ENTRY = f"""{ALL} OR school_id = ANY ({ORGS}) OR town_id = ANY ({TOWNS})
    OR EXISTS (SELECT 1 FROM admissions_application a WHERE a.entry_id = admissions_rollentry.id)"""
OWN = "EXISTS (SELECT 1 FROM admissions_application a WHERE a.case_id = application_id)"
PATH = f"{ALL} OR applicant_id = {PERSON} OR {OF_CASE.format(key='case_id')}"
#: table -> (condition to see and change, condition to write a new row)
POLICIES = {
    "admissions_draft": (f"{ALL} OR user_id = {PERSON}", None),
    "admissions_application": (APPLICATION, "true"),
    "admissions_party": (PARTY, "true"),
    "admissions_rollentry": (ENTRY, "true"),
    "admissions_choice": (OWN, None),
    "admissions_check": (OWN, None),
    "admissions_paper": (OWN, None),
    "admissions_rating": (OWN, None),
    "admissions_offer": (OWN, None),
    "admissions_review": (OWN, None),
    "admissions_standing": (
        "EXISTS (SELECT 1 FROM admissions_choice c WHERE c.id = choice_id)",
        None,
    ),
    "admissions_reservedentry": (ALL, None),
    "admissions_pathrequest": (PATH, "true"),
}
#: The entry of a child in a season, made if nobody has listed it; and the application that lives on it.
#: The row stays locked until the transaction ends, so that two submissions of one child meet here.
CLAIM = """
CREATE FUNCTION admissions_claim(
    the_season bigint, kind text, number text, tail text, the_name text, the_initials text,
    born date, the_sex text, new_code text,
    OUT entry bigint, OUT live text, OUT is_own boolean
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE live_case bigint;
BEGIN
    INSERT INTO admissions_rollentry (season_id, code, name, initials, id_kind, id_number, id_tail,
        born_on, sex, address, sources, outcome)
    VALUES (the_season, new_code, the_name, the_initials, kind, number, tail, born, the_sex, '',
        '["self"]', '')
    ON CONFLICT (season_id, id_kind, id_number) DO UPDATE SET code = admissions_rollentry.code
    RETURNING id INTO entry;
    SELECT c.number, a.case_id INTO live, live_case
    FROM admissions_application a JOIN cases_case c ON c.id = a.case_id
    WHERE a.entry_id = entry AND a.state NOT IN ('withdrawn', 'void', 'declined');
    is_own := EXISTS (
        SELECT 1 FROM admissions_party p WHERE p.application_id = live_case
            AND p.user_id = nullif(current_setting('xuezheng.person', true), '')::bigint);
END $$
"""
#: A second guardian registers a child that is registered: the two are told of each other.
JOIN = """
CREATE FUNCTION admissions_join(
    the_number text, person bigint, the_name text, number text, the_phone text, the_relation text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE the_case bigint;
BEGIN
    SELECT a.case_id INTO STRICT the_case FROM admissions_application a
        JOIN cases_case c ON c.id = a.case_id WHERE c.number = the_number;
    INSERT INTO admissions_party (application_id, user_id, name, id_number, phone, relation, main,
        confirmed, added_at)
    VALUES (the_case, person, the_name, number, the_phone, the_relation, false, false, now())
    ON CONFLICT DO NOTHING;
    UPDATE admissions_application SET custody_disputed = true WHERE case_id = the_case;
END $$
"""


def sql() -> list[str]:
    statements = []
    for table, (condition, writing) in POLICIES.items():
        check = f" WITH CHECK ({writing})" if writing else ""
        statements += [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"CREATE POLICY reach ON {table} USING ({condition}){check}",
        ]
    return [*statements, CLAIM, JOIN]


class Migration(migrations.Migration):
    dependencies = [("admissions", "0002_constraints")]
    operations = [migrations.RunSQL(sql(), reverse_sql=migrations.RunSQL.noop)]
