SELECT
    row_id,
    org,
    COALESCE(settled_on <= due_on AND settled_on <= :as_of, FALSE) AS counted,
    CASE
        WHEN settled_on <= due_on AND settled_on <= :as_of THEN 'in_time'
        WHEN settled_on <= :as_of THEN 'late'
        ELSE 'not_yet'
    END AS reason
FROM facts.enrolment_follow_up
WHERE due_on BETWEEN :from AND :to AND due_on <= :as_of
