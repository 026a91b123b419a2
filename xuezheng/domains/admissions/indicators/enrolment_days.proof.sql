SELECT
    row_id,
    org,
    TRUE AS counted,
    CASE
        WHEN settled_on - submitted_on <= 0 THEN 'same_day'
        WHEN settled_on - submitted_on <= 3 THEN 'three_days'
        WHEN settled_on - submitted_on <= 7 THEN 'week'
        ELSE 'longer'
    END AS reason,
    settled_on - submitted_on AS amount
FROM facts.enrolment_application
WHERE settled_on BETWEEN :from AND :to AND settled_on <= :as_of AND state NOT IN ('withdrawn', 'void')
