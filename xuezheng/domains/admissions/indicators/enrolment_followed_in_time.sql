-- Of the follow-ups whose term ended in the period and by the as-of day: settled by their due day.
SELECT
    org,
    sum(CASE WHEN settled_on <= due_on AND settled_on <= :as_of THEN 1 ELSE 0 END) AS numerator,
    count(*) AS denominator
FROM facts.enrolment_follow_up
WHERE due_on BETWEEN :from AND :to AND due_on <= :as_of
GROUP BY org
