-- Places that published results gave at schools with areas, one row each (grain: row_id).  Within reach.
-- A child that got places in several rounds has the last.
-- row_id       case number of the registration
-- org          code of the school that has placed the child
-- level, year  what the season admits to, and for which year
-- placed_on    day of publication
-- in_area      1 when the child's own area is the school's, 0 when another school sent it on
SELECT DISTINCT ON (f.application_id)
    c.number AS row_id,
    o.code AS org,
    s.level,
    CAST(s.year AS integer) AS year,
    CAST(l.published_at AT TIME ZONE 'Asia/Shanghai' AS date) AS placed_on,
    CASE WHEN t.code LIKE 'R%' THEN 0 ELSE 1 END AS in_area
FROM admissions_offer f
JOIN admissions_allocation l ON l.id = f.allocation_id AND l.published_at IS NOT NULL
JOIN admissions_intake i ON i.id = f.intake_id AND i.mode = 'zone'
JOIN admissions_season s ON s.id = l.season_id
JOIN access_organisation o ON o.id = i.school_id
JOIN cases_case c ON c.id = f.application_id
JOIN admissions_choice h ON h.application_id = f.application_id AND h.intake_id = f.intake_id
JOIN admissions_standing t ON t.choice_id = h.id
ORDER BY f.application_id, l.round DESC
