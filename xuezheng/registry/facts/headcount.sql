-- Numbers of pupils who were at one place from one day to one day, one row each (grain: row_id).
-- For everybody who may see figures: numbers of the whole district, no child.
-- row_id       org, class and the two days
-- org, site_kind   where, and its kind (primary, junior, nine_year, ...)
-- class_id, stage, entry_year   empty without a class
-- pupils       how many; suspended ones belong to their class
-- valid_from, valid_to   first and last day; valid_to is empty while it lasts.  The pupils of a day are
--              the sum over the rows whose span covers it.
SELECT
    concat_ws('/', o.code, n.school_class_id, n.valid_from, n.valid_to) AS row_id,
    o.code AS org,
    o.kind AS site_kind,
    n.school_class_id AS class_id,
    c.stage,
    CAST(c.entry_year AS integer) AS entry_year,
    n.pupils,
    n.valid_from,
    n.valid_to
FROM registry_headcount_spans() n
JOIN access_organisation o ON o.id = n.organisation_id
LEFT JOIN registry_schoolclass c ON c.id = n.school_class_id
