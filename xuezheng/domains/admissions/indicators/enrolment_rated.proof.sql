SELECT
    row_id,
    org,
    rated = 1 AS counted,
    CASE WHEN rated = 1 THEN 'rated' ELSE 'silent' END AS reason
FROM facts.enrolment_application
WHERE settled_on BETWEEN :from AND :to AND settled_on <= :as_of AND state NOT IN ('withdrawn', 'void')
