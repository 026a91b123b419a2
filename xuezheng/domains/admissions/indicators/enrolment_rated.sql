-- Of the registrations that checking passed in the period and by the as-of day: rated by the family.
SELECT org, sum(rated) AS numerator, count(*) AS denominator
FROM facts.enrolment_application
WHERE settled_on BETWEEN :from AND :to AND settled_on <= :as_of AND state NOT IN ('withdrawn', 'void')
GROUP BY org
