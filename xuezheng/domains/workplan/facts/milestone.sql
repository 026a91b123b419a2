-- Milestones of adopted plans, one row each (grain: row_id).
-- row_id   case number
-- org      code of the lead office
-- state    state of flow "milestone"; withdrawn and drafted ones are left out
-- due_on, done_on   local dates; done_on is the day of the report and empty again after a return
SELECT
    c.number AS row_id,
    o.code AS org,
    m.state,
    m.role,
    m.due_on,
    m.done_on
FROM workplan_milestone m
JOIN cases_case c ON c.id = m.case_id
JOIN access_organisation o ON o.id = c.organisation_id
WHERE m.state NOT IN ('draft', 'withdrawn')
