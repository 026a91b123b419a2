-- Classes, one row each (grain: row_id), from their entry to their end.
-- row_id       number of the class; class_id of the other facts
-- org, stage, entry_year, number   the grade follows from entry_year and the day
-- pupils       on the day on which the fact is read
-- valid_from, valid_to   first and last day; valid_to is empty while it lasts
SELECT
    CAST(c.id AS text) AS row_id,
    o.code AS org,
    c.stage,
    CAST(c.entry_year AS integer) AS entry_year,
    CAST(c.number AS integer) AS number,
    CAST(COALESCE(n.pupils, 0) AS integer) AS pupils,
    c.valid_from,
    c.valid_to
FROM registry_schoolclass c
JOIN access_organisation o ON o.id = c.organisation_id
LEFT JOIN (
    SELECT school_class_id, sum(pupils) AS pupils
    FROM registry_headcount_spans()
    WHERE valid_from <= CURRENT_DATE AND (valid_to IS NULL OR valid_to >= CURRENT_DATE)
    GROUP BY school_class_id
) n ON n.school_class_id = c.id
