-- Of the schools with pupils of a stage that has a norm, on the as-of day: enough staff by the norms.
-- A school of two stages needs the sum of both; the small number absorbs rounding of the quotients.
SELECT org, sum(enough) AS numerator, count(*) AS denominator
FROM (
    SELECT org, CASE WHEN sum(staff) + 0.000001 >= sum(needed) THEN 1 ELSE 0 END AS enough
    FROM (
        SELECT h.org, 0 AS staff, h.pupils * 100.0 / n.hundredths AS needed
        FROM facts.headcount h
        JOIN facts.norm n ON n.norm = 'pupils_per_staff' AND n.stage = h.stage
            AND n.valid_from <= :as_of AND (n.valid_to IS NULL OR n.valid_to >= :as_of)
        WHERE h.site_kind <> 'special'
            AND h.valid_from <= :as_of AND (h.valid_to IS NULL OR h.valid_to >= :as_of)
        UNION ALL
        SELECT s.org, 1 AS staff, 0.0 AS needed
        FROM facts.staff s
        WHERE s.main = 1
            AND s.valid_from <= :as_of AND (s.valid_to IS NULL OR s.valid_to >= :as_of)
    ) present
    GROUP BY org
    HAVING sum(needed) > 0
) schools
GROUP BY org
