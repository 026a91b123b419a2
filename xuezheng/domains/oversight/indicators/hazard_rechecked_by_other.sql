-- Of the hazards closed in the period and by the as-of day: re-checked by another person.
SELECT
    org,
    sum(rechecked_by_other) AS numerator,
    count(*) AS denominator
FROM facts.hazard
WHERE state = 'closed'
    AND closed_on BETWEEN :from AND :to
    AND closed_on <= :as_of
GROUP BY org
