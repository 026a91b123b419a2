-- Of the registrations whose term for checking ended in the period and by the as-of day: passed by
-- then.  Those sent back with faults have a new term once they are put right.
SELECT
    org,
    sum(CASE WHEN settled_on <= due_on AND settled_on <= :as_of THEN 1 ELSE 0 END) AS numerator,
    count(*) AS denominator
FROM facts.enrolment_application
WHERE due_on BETWEEN :from AND :to
    AND due_on <= :as_of
    AND state NOT IN ('withdrawn', 'void', 'correcting')
GROUP BY org
