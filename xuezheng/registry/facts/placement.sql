-- Placements of pupils, one row each (grain: row_id).  Only within the reader's reach.
-- row_id       number of the placement
-- pupil_id     row_id of facts.pupil
-- org, class_id, stage, entry_year   where; class_id is empty without a class
-- valid_from, valid_to   first and last day; valid_to is empty while it lasts
-- entry_code, exit_code  学籍异动类别 XJYDLB, empty for the usual: 22 in, 21 out, 29 other class,
--              11 suspended, 12 back, 61 graduated
-- document     as in facts.pupil, as it is known now
SELECT
    CAST(t.id AS text) AS row_id,
    CAST(t.pupil_id AS text) AS pupil_id,
    o.code AS org,
    t.school_class_id AS class_id,
    c.stage,
    CAST(c.entry_year AS integer) AS entry_year,
    t.valid_from,
    t.valid_to,
    t.entry_code,
    t.exit_code,
    CASE
        WHEN p.id_number IS NULL THEN 'missing'
        WHEN p.id_kind = '1' THEN 'checked'
        ELSE 'other'
    END AS document
FROM registry_placement t
JOIN registry_pupil p ON p.id = t.pupil_id AND p.merged_into_id IS NULL
JOIN access_organisation o ON o.id = t.organisation_id
LEFT JOIN registry_schoolclass c ON c.id = t.school_class_id
