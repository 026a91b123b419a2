SELECT
    row_id,
    org,
    channel IN ('online', 'portal') AND papers = 0 AS counted,
    CASE
        WHEN channel NOT IN ('online', 'portal') THEN 'counter'
        WHEN papers > 0 THEN 'papers'
        ELSE 'none'
    END AS reason
FROM facts.enrolment_application
WHERE settled_on BETWEEN :from AND :to AND settled_on <= :as_of AND state NOT IN ('withdrawn', 'void')
