-- Children on the rolls of seasons, one row each (grain: row_id).  Only within the reader's reach.
-- row_id       number of the roll entry
-- org          code of the school of its area, else of its town, else of the authority
-- level, year  what the season admits to, and for which year
-- opens_on, ends_on   first day of registration and day of arrival of the season
-- outcome      registered | elsewhere | deferred | home | special | untraceable | '' (not known yet)
-- outcome_on   since when
SELECT
    CAST(e.id AS text) AS row_id,
    o.code AS org,
    s.level,
    CAST(s.year AS integer) AS year,
    CAST(s.opens_at AT TIME ZONE 'Asia/Shanghai' AS date) AS opens_on,
    COALESCE(
        s.arrival_on, s.result_on, CAST(s.closes_at AT TIME ZONE 'Asia/Shanghai' AS date)
    ) AS ends_on,
    e.outcome,
    e.outcome_on
FROM admissions_rollentry e
JOIN admissions_season s ON s.id = e.season_id AND s.opens_at IS NOT NULL
JOIN access_organisation o ON o.id = COALESCE(e.school_id, e.town_id, s.organisation_id)
