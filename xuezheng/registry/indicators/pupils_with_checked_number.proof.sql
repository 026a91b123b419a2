SELECT
    pupil_id AS row_id,
    org,
    document = 'checked' AS counted,
    CASE
        WHEN document = 'checked' THEN 'checked'
        WHEN document = 'other' THEN 'other'
        ELSE 'missing'
    END AS reason
FROM facts.placement
WHERE valid_from <= :as_of AND (valid_to IS NULL OR valid_to >= :as_of)
