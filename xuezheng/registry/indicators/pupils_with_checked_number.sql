-- Of the pupils at schools and kindergartens on the as-of day: whose citizen number is on record.
SELECT
    t.org,
    sum(CASE WHEN p.document = 'checked' THEN 1 ELSE 0 END) AS numerator,
    count(*) AS denominator
FROM facts.placement t
JOIN facts.pupil p ON p.row_id = t.pupil_id
WHERE t.valid_from <= :as_of AND (t.valid_to IS NULL OR t.valid_to >= :as_of)
GROUP BY t.org
