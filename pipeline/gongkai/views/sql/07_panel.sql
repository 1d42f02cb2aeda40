-- The panel: issuer × year × metric, one value each, from the issuer's report of that year (`annual_values` says which
-- number). Issuers that are ambiguous, by name or by their reports, are left out; so is a value on which two copies of
-- a report differ.
CREATE VIEW panel AS
SELECT
    issuer_key AS issuer, year, metric_id, label AS metric_label, value.value AS value, value.unit AS unit,
    value.tolerance AS tolerance, value.text AS text, value.in_table AS in_table,
    value.document_id AS document_id, value.fact_id AS fact_id, value.section_id AS section_id,
    value.start_offset AS start_offset, value.end_offset AS end_offset
FROM (
    SELECT issuer_key, year, metric_id, arg_min(annual, document_id) AS value
    FROM annual_values AS annual
    WHERE issuer_key IS NOT NULL
    GROUP BY ALL
    HAVING count(DISTINCT annual.value) = 1
)
JOIN metrics USING (metric_id)
WHERE issuer_key NOT IN (FROM ambiguous_issuers);
