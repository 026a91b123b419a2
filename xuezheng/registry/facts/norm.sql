-- Norms by stage and span of days (grain: row_id), from the parameters registry.norms.*; the bureau's
-- own value wins on the days that it covers.
-- row_id       norm, stage and first day
-- norm         class_size: largest class, pupils; pupils_per_staff: most pupils to one of the staff
-- stage        kindergarten | primary | junior | senior | vocational
-- hundredths   the value times 100, so that 13.5 is a whole number
-- valid_from, valid_to   first and last day; valid_to is empty while it lasts
WITH norms AS (
    SELECT split_part(key, '.', 3) AS norm, split_part(key, '.', 4) AS stage, owner, valid_from,
        valid_to, CAST(round(CAST(value #>> '{}' AS numeric) * 100) AS integer) AS hundredths
    FROM reference_parameter
    WHERE key LIKE 'registry.norms.%'
),
-- On each of these days another value may begin to hold.
turns AS (
    SELECT norm, stage, valid_from AS day FROM norms
    UNION
    SELECT norm, stage, valid_to + 1 FROM norms WHERE valid_to IS NOT NULL
),
spans AS (
    SELECT norm, stage, day, lead(day) OVER (PARTITION BY norm, stage ORDER BY day) - 1 AS last
    FROM turns
)
SELECT concat_ws('/', s.norm, s.stage, s.day) AS row_id, s.norm, s.stage, held.hundredths,
    s.day AS valid_from, s.last AS valid_to
FROM spans s
CROSS JOIN LATERAL (
    SELECT hundredths FROM norms
    WHERE norms.norm = s.norm AND norms.stage = s.stage AND norms.valid_from <= s.day
        AND (norms.valid_to IS NULL OR norms.valid_to >= s.day)
    ORDER BY owner <> '' DESC, norms.valid_from DESC LIMIT 1
) held
