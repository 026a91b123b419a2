-- Of the ratings given in the period and by the as-of day: the two best grades.
SELECT
    org,
    sum(CASE WHEN grade >= 4 THEN 1 ELSE 0 END) AS numerator,
    count(*) AS denominator
FROM facts.enrolment_rating
WHERE given_on BETWEEN :from AND :to AND given_on <= :as_of
GROUP BY org
