-- Pupils, one row each (grain: row_id), also those who have left.  Only within the reader's reach.
-- row_id       the pupil's random key; no name, no number
-- org, class_id, stage, entry_year, valid_from, valid_to   of the newest placement; empty before any.
--              valid_to is empty while it lasts.  The grade follows from entry_year and the day.
-- sex          GB/T 2261.1: 1 male, 2 female, 0 or 9 not known
-- status       学生当前状态 XSDQZT: 01 at school, 02 suspended, 07 graduated, 10 transferred out ...
-- boarding     就读方式 JDFS: 1 day pupil, 2 boards
-- document     checked: has a citizen number (numbers are taken only when their check digit is right);
--              other: has another document; missing: none yet
SELECT
    CAST(p.id AS text) AS row_id,
    o.code AS org,
    placed.school_class_id AS class_id,
    c.stage,
    CAST(c.entry_year AS integer) AS entry_year,
    p.sex,
    p.status,
    p.boarding,
    CASE
        WHEN p.id_number IS NULL THEN 'missing'
        WHEN p.id_kind = '1' THEN 'checked'
        ELSE 'other'
    END AS document,
    placed.valid_from,
    placed.valid_to
FROM registry_pupil p
LEFT JOIN (
    SELECT DISTINCT ON (pupil_id) pupil_id, organisation_id, school_class_id, valid_from, valid_to
    FROM registry_placement
    ORDER BY pupil_id, valid_from DESC, id DESC
) placed ON placed.pupil_id = p.id
LEFT JOIN access_organisation o ON o.id = placed.organisation_id
LEFT JOIN registry_schoolclass c ON c.id = placed.school_class_id
WHERE p.merged_into_id IS NULL
