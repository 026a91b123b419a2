SELECT
    row_id,
    org,
    rechecked_by_other = 1 AS counted,
    CASE WHEN rechecked_by_other = 1 THEN 'other_person' ELSE 'same_person' END AS reason
FROM facts.hazard
WHERE state = 'closed'
    AND closed_on BETWEEN :from AND :to
    AND closed_on <= :as_of
