SELECT
    h.org AS row_id,
    h.org,
    sum(h.pupils) <= min(s.places) AS counted,
    CASE WHEN sum(h.pupils) <= min(s.places) THEN 'room' ELSE 'full' END AS reason
FROM facts.headcount h
JOIN facts.site s ON s.org = h.org AND s.places IS NOT NULL
WHERE h.valid_from <= :as_of AND (h.valid_to IS NULL OR h.valid_to >= :as_of)
GROUP BY h.org
