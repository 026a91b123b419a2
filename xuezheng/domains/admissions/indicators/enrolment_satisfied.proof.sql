SELECT
    row_id,
    org,
    grade >= 4 AS counted,
    CASE WHEN grade >= 4 THEN 'satisfied' WHEN grade = 3 THEN 'neutral' ELSE 'dissatisfied' END AS reason
FROM facts.enrolment_rating
WHERE given_on BETWEEN :from AND :to AND given_on <= :as_of
