-- Of the places that results published in the period and by the as-of day gave at schools with areas:
-- at a school of the child's own area.
SELECT org, sum(in_area) AS numerator, count(*) AS denominator
FROM facts.enrolment_place
WHERE placed_on BETWEEN :from AND :to AND placed_on <= :as_of
GROUP BY org
