-- Of the hazards whose term ended in the period and by the as-of day: put right by their due day.
SELECT
    org,
    sum(CASE WHEN rectified_on <= due_on AND rectified_on <= :as_of THEN 1 ELSE 0 END) AS numerator,
    count(*) AS denominator
FROM facts.hazard
WHERE state <> 'dismissed'
    AND due_on BETWEEN :from AND :to
    AND due_on <= :as_of
GROUP BY org
