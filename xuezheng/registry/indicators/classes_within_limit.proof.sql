SELECT
    h.class_id AS row_id,
    h.org,
    sum(h.pupils) * 100 <= min(n.hundredths) AS counted,
    CASE WHEN sum(h.pupils) * 100 <= min(n.hundredths) THEN 'within' ELSE 'over' END AS reason
FROM facts.headcount h
JOIN facts.norm n ON n.norm = 'class_size' AND n.stage = h.stage
    AND n.valid_from <= :as_of AND (n.valid_to IS NULL OR n.valid_to >= :as_of)
WHERE h.class_id IS NOT NULL
    AND h.site_kind <> 'special'
    AND h.valid_from <= :as_of AND (h.valid_to IS NULL OR h.valid_to >= :as_of)
GROUP BY h.org, h.class_id
