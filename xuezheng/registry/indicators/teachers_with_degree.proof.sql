SELECT
    staff_id AS row_id,
    org,
    bachelor = 1 AS counted,
    CASE WHEN bachelor = 1 THEN 'degree' ELSE 'below' END AS reason
FROM facts.staff
WHERE category = 'teaching'
    AND main = 1
    AND site_kind NOT IN ('adult', 'training')
    AND valid_from <= :as_of AND (valid_to IS NULL OR valid_to >= :as_of)
