SELECT
    row_id,
    org,
    COALESCE(outcome = 'registered' AND outcome_on <= :as_of, FALSE) AS counted,
    CASE
        WHEN outcome = 'registered' AND outcome_on <= :as_of THEN 'registered'
        WHEN outcome <> '' AND outcome_on <= :as_of THEN 'other'
        ELSE 'open'
    END AS reason
FROM facts.child_of_age
WHERE level <> 'kindergarten'
    AND opens_on <= :as_of
    AND opens_on <= :to
    AND ends_on >= :from
