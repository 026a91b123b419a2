-- Of the pupils at schools and kindergartens on the as-of day: whose citizen number is on record.
SELECT
    org,
    sum(CASE WHEN document = 'checked' THEN 1 ELSE 0 END) AS numerator,
    count(*) AS denominator
FROM facts.placement
WHERE valid_from <= :as_of AND (valid_to IS NULL OR valid_to >= :as_of)
GROUP BY org
