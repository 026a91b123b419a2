SELECT
    row_id,
    org,
    COALESCE(rectified_on <= due_on AND rectified_on <= :as_of, FALSE) AS counted,
    CASE
        WHEN rectified_on <= due_on AND rectified_on <= :as_of THEN 'in_time'
        WHEN rectified_on <= :as_of THEN 'late'
        ELSE 'not_yet'
    END AS reason
FROM facts.hazard
WHERE state <> 'dismissed'
    AND due_on BETWEEN :from AND :to
    AND due_on <= :as_of
