-- Of the registrations that checking passed in the period and by the as-of day: handed in online, and
-- no paper was asked for, so that the family had nowhere to go.
SELECT
    org,
    sum(CASE WHEN channel IN ('online', 'portal') AND papers = 0 THEN 1 ELSE 0 END) AS numerator,
    count(*) AS denominator
FROM facts.enrolment_application
WHERE settled_on BETWEEN :from AND :to AND settled_on <= :as_of AND state NOT IN ('withdrawn', 'void')
GROUP BY org
