-- Of the schools and kindergartens with pupils and approved places: no more pupils than places.
SELECT org, sum(kept) AS numerator, count(*) AS denominator
FROM (
    SELECT
        h.org,
        CASE WHEN sum(h.pupils) <= min(s.places) THEN 1 ELSE 0 END AS kept
    FROM facts.headcount h
    JOIN facts.site s ON s.org = h.org AND s.places IS NOT NULL
    WHERE h.valid_from <= :as_of AND (h.valid_to IS NULL OR h.valid_to >= :as_of)
    GROUP BY h.org
) sites
GROUP BY org
