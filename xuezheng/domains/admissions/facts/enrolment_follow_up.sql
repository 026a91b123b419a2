-- Children followed up because nobody registered them or they did not arrive (grain: row_id).
-- row_id       case number
-- org          code of the town or school that follows
-- cause        unregistered | absent
-- opened_on, due_on, settled_on   settled_on is empty while the outcome is not settled
SELECT
    c.number AS row_id,
    o.code AS org,
    f.cause,
    CAST(c.opened_at AT TIME ZONE 'Asia/Shanghai' AS date) AS opened_on,
    (
        SELECT min(k.due) FROM cases_caseclock k
        WHERE k.case_id = f.case_id AND k.kind = 'contact'
    ) AS due_on,
    CASE
        WHEN f.state = 'settled' THEN CAST(c.closed_at AT TIME ZONE 'Asia/Shanghai' AS date)
    END AS settled_on
FROM admissions_followup f
JOIN cases_case c ON c.id = f.case_id
JOIN access_organisation o ON o.id = c.organisation_id
