-- What a report states of a metric for a whole calendar year, one row a report, metric and year; `value_year` is that
-- year, `year` the report's own. Which fact gives the value:
-- it has a metric of the ontology, its period is the calendar year, and it is printed exactly (no range, no 约, not
-- rounded to 万); it is no change, share or comparison, and in the `total` column where the table has columns; its unit
-- is a percentage just where the metric is a rate; it is no part of a total of the same metric or one below it (其中某局…);
-- in prose its score is at least `sure`. Facts of tables go before facts in prose. If those left differ in value, the
-- report states none, and there is no row.
-- `tolerance` is what rounding to the printed decimals can account for.
CREATE VIEW stated_values AS
WITH candidates AS (
    SELECT
        f.document_id, f.metric_id, f.value, f.unit, f.fact_id, f.section_id, f.start_offset, f.end_offset, f.text,
        year(f.period_start) AS value_year,
        f.table_id IS NOT NULL AS in_table,
        CASE
            WHEN f.unit = '%' THEN 0.5 * pow(10, -f.decimals - 2)
            WHEN f.decimals > 0 THEN 0.5 * pow(10, -f.decimals)
            ELSE 0
        END AS tolerance
    FROM facts AS f
    JOIN metrics USING (metric_id)
    LEFT JOIN facts AS total ON total.document_id = f.document_id AND total.fact_id = f.part_of
    WHERE month(f.period_start) = 1 AND day(f.period_start) = 1
        AND f.period_end = make_date(year(f.period_start), 12, 31)
        AND f.qualifier = 'exact' AND f.value_max IS NULL AND f.decimals IS NOT NULL
        AND f.direction IS NULL AND f.compared_with IS NULL
        AND coalesce(f.category, 'total') = 'total'
        AND (coalesce(f.unit, '') = '%') = (metrics.kind = 'rate')
        AND (f.share_of IS NULL OR metrics.kind = 'rate')
        AND (f.part_of IS NULL OR f.table_id IS NOT NULL
            OR NOT (total.metric_id = f.metric_id OR starts_with(total.metric_id, f.metric_id || '.')))
        AND (f.table_id IS NOT NULL OR f.score >= sure())
),
best AS (
    SELECT * FROM candidates
    QUALIFY in_table = max(in_table) OVER (PARTITION BY document_id, metric_id, value_year)
),
chosen AS (
    SELECT
        document_id, metric_id, value_year,
        arg_min(best, start_offset) AS fact,
        count(DISTINCT value) AS different
    FROM best
    GROUP BY ALL
)
SELECT
    document_id, issuer, issuer_key, year, metric_id, value_year,
    fact.value AS value, fact.unit AS unit, fact.tolerance AS tolerance, fact.text AS text, fact.in_table AS in_table,
    fact.fact_id AS fact_id, fact.section_id AS section_id,
    fact.start_offset AS start_offset, fact.end_offset AS end_offset
FROM chosen JOIN reports USING (document_id)
WHERE different = 1;
