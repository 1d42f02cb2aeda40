-- What one year's report leaves against what the next begins with, by the rows of configs/archive.yaml in `balance_terms`
-- (rule, metric_id, sign; sign 0 is the last year's term). `facts` begins with this year's first term; last year's is
-- the last one.
WITH terms AS (
    SELECT
        t.rule, t.place, t.sign, t.metric_id, p.issuer, p.value, p.unit, p.tolerance, p.metric_label,
        p.year + CASE WHEN t.sign = 0 THEN 1 ELSE 0 END AS year,
        {
            'document_id': p.document_id, 'section_id': p.section_id, 'fact_id': p.fact_id,
            'start_offset': p.start_offset, 'end_offset': p.end_offset, 'text': p.text
        } AS fact
    FROM balance_terms AS t JOIN compared AS p USING (metric_id)
)
SELECT
    rule, issuer, year,
    arg_min(metric_label, place) AS label, arg_max(metric_label, place) AS last_label,
    arg_min(metric_id, place) AS metric_id, arg_min(unit, place) AS unit,
    sum(sign * value) AS reported, sum(value) FILTER (sign = 0) AS expected,
    list(fact ORDER BY place) AS facts
FROM terms
GROUP BY rule, issuer, year
HAVING count(*) = (SELECT count(*) FROM balance_terms AS t WHERE t.rule = terms.rule)
    AND abs(reported - expected) > sum(tolerance)
ORDER BY issuer, year, rule;
