SELECT
    row_id,
    org,
    COALESCE(done_on <= due_on AND done_on <= :as_of, FALSE) AS counted,
    CASE
        WHEN done_on <= due_on AND done_on <= :as_of THEN 'in_time'
        WHEN done_on <= :as_of THEN 'late'
        ELSE 'not_yet'
    END AS reason
FROM facts.milestone
WHERE due_on BETWEEN :from AND :to
    AND due_on <= :as_of
