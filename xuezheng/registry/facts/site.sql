-- Schools, kindergartens and other places of learning, one row each (grain: row_id).
-- row_id, org  code of the organisation
-- kind         primary, junior, nine_year, senior, vocational, special, kindergarten, adult, training
-- ownership    public | private | inclusive
-- locality     urban | town | rural
-- island       1 on an island
-- places       approved places; empty where none are approved
-- pupils       on the day on which the fact is read
SELECT
    o.code AS row_id,
    o.code AS org,
    o.kind,
    p.ownership,
    p.locality,
    CASE WHEN p.island THEN 1 ELSE 0 END AS island,
    p.places,
    CAST(COALESCE(n.pupils, 0) AS integer) AS pupils
FROM registry_siteprofile p
JOIN access_organisation o ON o.id = p.organisation_id
LEFT JOIN (
    SELECT organisation_id, sum(pupils) AS pupils
    FROM registry_headcount_spans()
    WHERE valid_from <= CURRENT_DATE AND (valid_to IS NULL OR valid_to >= CURRENT_DATE)
    GROUP BY organisation_id
) n ON n.organisation_id = o.id
