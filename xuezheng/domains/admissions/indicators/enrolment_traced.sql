-- Of the children on the rolls of seasons of compulsory schooling that ran in the period: where they go
-- to school, or why not, was known by the as-of day.  A child that could not be found is not traced.
SELECT
    org,
    sum(
        CASE
            WHEN outcome <> '' AND outcome <> 'untraceable' AND outcome_on <= :as_of THEN 1
            ELSE 0
        END
    ) AS numerator,
    count(*) AS denominator
FROM facts.child_of_age
WHERE level <> 'kindergarten'
    AND opens_on <= :as_of
    AND opens_on <= :to
    AND ends_on >= :from
GROUP BY org
