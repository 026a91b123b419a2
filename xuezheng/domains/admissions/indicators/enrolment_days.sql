-- Days from submission until checking passed it, over the registrations passed in the period and by
-- the as-of day: sum of days, number of registrations.
SELECT
    org,
    sum(settled_on - submitted_on) AS numerator,
    count(*) AS denominator
FROM facts.enrolment_application
WHERE settled_on BETWEEN :from AND :to AND settled_on <= :as_of AND state NOT IN ('withdrawn', 'void')
GROUP BY org
