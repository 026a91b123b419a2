-- Of the primary and junior classes with pupils on the as-of day: those within the limit of the day.
SELECT org, sum(kept) AS numerator, count(*) AS denominator
FROM (
    SELECT
        h.org,
        h.class_id,
        CASE WHEN sum(h.pupils) * 100 <= min(n.hundredths) THEN 1 ELSE 0 END AS kept
    FROM facts.headcount h
    JOIN facts.norm n ON n.norm = 'class_size' AND n.stage = h.stage
        AND n.valid_from <= :as_of AND (n.valid_to IS NULL OR n.valid_to >= :as_of)
    WHERE h.class_id IS NOT NULL
        AND h.site_kind <> 'special'
        AND h.valid_from <= :as_of AND (h.valid_to IS NULL OR h.valid_to >= :as_of)
    GROUP BY h.org, h.class_id
) sizes
GROUP BY org
