SELECT
    row_id,
    org,
    COALESCE(outcome <> '' AND outcome <> 'untraceable' AND outcome_on <= :as_of, FALSE) AS counted,
    CASE
        WHEN outcome_on > :as_of OR outcome = '' THEN 'open'
        WHEN outcome = 'untraceable' THEN 'untraceable'
        WHEN outcome = 'registered' THEN 'registered'
        ELSE 'other'
    END AS reason
FROM facts.child_of_age
WHERE level <> 'kindergarten'
    AND opens_on <= :as_of
    AND opens_on <= :to
    AND ends_on >= :from
