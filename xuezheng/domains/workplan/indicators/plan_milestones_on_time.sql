-- Of the milestones whose term ended in the period and by the as-of day: reported by their due day.
SELECT
    org,
    sum(CASE WHEN done_on <= due_on AND done_on <= :as_of THEN 1 ELSE 0 END) AS numerator,
    count(*) AS denominator
FROM facts.milestone
WHERE due_on BETWEEN :from AND :to
    AND due_on <= :as_of
GROUP BY org
