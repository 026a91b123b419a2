-- Hazards, one row each (grain: row_id).
-- row_id       case number
-- org          code of the responsible organisation
-- category     code of parameter oversight.hazard.categories
-- grade        general | major | '' (not yet graded)
-- state        state of flow "hazard"
-- reported_on, due_on, rectified_on, closed_on   local dates; rectified_on is empty again after a
--              failed re-check
-- rechecked_by_other  1 when the passed re-check was done by another person than the rectification
SELECT
    c.number AS row_id,
    o.code AS org,
    h.category,
    h.grade,
    h.state,
    h.reported_on,
    h.due_on,
    h.rectified_on,
    h.closed_on,
    CASE WHEN h.state = 'closed' AND EXISTS (
        SELECT 1 FROM cases_move checked
        JOIN cases_move rectified ON rectified.case_id = checked.case_id
            AND rectified.step = 'rectify'
        WHERE checked.case_id = h.case_id AND checked.step IN ('pass', 'pass_major')
            AND rectified.user_id <> checked.user_id AND rectified.at <= checked.at
    ) THEN 1 ELSE 0 END AS rechecked_by_other
FROM oversight_hazard h
JOIN cases_case c ON c.id = h.case_id
JOIN access_organisation o ON o.id = c.organisation_id
