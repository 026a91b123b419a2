SELECT
    t.pupil_id AS row_id,
    t.org,
    p.document = 'checked' AS counted,
    CASE
        WHEN p.document = 'checked' THEN 'checked'
        WHEN p.document = 'other' THEN 'other'
        ELSE 'missing'
    END AS reason
FROM facts.placement t
JOIN facts.pupil p ON p.row_id = t.pupil_id
WHERE t.valid_from <= :as_of AND (t.valid_to IS NULL OR t.valid_to >= :as_of)
