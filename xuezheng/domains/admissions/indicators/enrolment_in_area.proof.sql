SELECT
    row_id,
    org,
    in_area = 1 AS counted,
    CASE WHEN in_area = 1 THEN 'own_area' ELSE 'sent_on' END AS reason
FROM facts.enrolment_place
WHERE placed_on BETWEEN :from AND :to AND placed_on <= :as_of
