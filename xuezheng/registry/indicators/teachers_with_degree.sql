-- Of the teachers in main employment at schools and kindergartens on the as-of day: with a degree.
SELECT
    org,
    sum(bachelor) AS numerator,
    count(*) AS denominator
FROM facts.staff
WHERE category = 'teaching'
    AND main = 1
    AND site_kind NOT IN ('adult', 'training')
    AND valid_from <= :as_of AND (valid_to IS NULL OR valid_to >= :as_of)
GROUP BY org
