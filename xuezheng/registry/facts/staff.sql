-- Employments of staff, one row each (grain: row_id).
-- row_id       number of the employment
-- staff_id     the person's random key; no name, no number
-- org, site_kind   where, and its kind (primary, junior, ..., adult, training)
-- category     teaching | admin | assistant | care | support
-- education    GB/T 4658; bachelor 1 for a bachelor's degree or more
-- established  1 within the establishment (在编)
-- main         1 for the main employment; a person has at most one on a day
-- valid_from, valid_to   first and last day; valid_to is empty while it lasts
SELECT
    CAST(e.id AS text) AS row_id,
    CAST(s.id AS text) AS staff_id,
    o.code AS org,
    o.kind AS site_kind,
    s.category,
    s.education,
    CASE WHEN s.education LIKE '1%' OR s.education LIKE '2%' THEN 1 ELSE 0 END AS bachelor,
    CASE WHEN e.established THEN 1 ELSE 0 END AS established,
    CASE WHEN e.main THEN 1 ELSE 0 END AS main,
    e.valid_from,
    e.valid_to
FROM registry_employment e
JOIN registry_staffmember s ON s.id = e.staff_id AND s.merged_into_id IS NULL
JOIN access_organisation o ON o.id = e.organisation_id
