-- Ratings of the service by families, one row each (grain: row_id).  Only within the reader's reach.
-- row_id       case number of the registration
-- org          code of the organisation that was rated
-- grade        1 (very dissatisfied) to 5 (very satisfied), GB/T 39735-2020
-- given_on     day
SELECT
    c.number AS row_id,
    o.code AS org,
    CAST(r.grade AS integer) AS grade,
    r.given_on
FROM admissions_rating r
JOIN cases_case c ON c.id = r.application_id
JOIN access_organisation o ON o.id = r.organisation_id
