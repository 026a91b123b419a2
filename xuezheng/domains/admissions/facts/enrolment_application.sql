-- Registrations for a school or kindergarten, one row each (grain: row_id).  Only within reach.
-- row_id       case number
-- org          code of the organisation that checks it or, after the result, that has placed the child
-- level, year  what the season admits to, and for which year
-- channel      online | counter | paper | portal
-- state        state of flow "application"
-- submitted_on, settled_on   day of submission; day on which checking passed it
-- due_on       end of the term for checking (the last one, after faults were put right)
-- papers       how many papers the family had to send
-- rated        1 when the family has rated the service
SELECT
    c.number AS row_id,
    o.code AS org,
    s.level,
    CAST(s.year AS integer) AS year,
    a.channel,
    a.state,
    a.submitted_on,
    a.settled_on,
    (
        SELECT max(k.due) FROM cases_caseclock k
        WHERE k.case_id = a.case_id AND k.kind = 'verification'
    ) AS due_on,
    (
        SELECT CAST(count(*) AS integer) FROM admissions_paper p WHERE p.application_id = a.case_id
    ) AS papers,
    (
        SELECT CAST(count(*) AS integer) FROM admissions_rating r WHERE r.application_id = a.case_id
    ) AS rated
FROM admissions_application a
JOIN admissions_season s ON s.id = a.season_id
JOIN cases_case c ON c.id = a.case_id
JOIN access_organisation o ON o.id = c.organisation_id
