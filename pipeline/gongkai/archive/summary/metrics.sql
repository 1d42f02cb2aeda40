-- The metrics that most reports state, by year: quartiles over issuers.
WITH foremost AS (
    SELECT metric_id, count(*) AS stated
    FROM panel GROUP BY metric_id
    ORDER BY stated DESC, metric_id
    LIMIT $most
)
SELECT
    metric_id, metric_label AS label, year, count(*) AS issuers, mode(unit ORDER BY unit) AS unit,
    quantile_cont(value, 0.25) AS low, median(value) AS middle, quantile_cont(value, 0.75) AS high
FROM panel JOIN foremost USING (metric_id)
GROUP BY metric_id, metric_label, year, foremost.stated
ORDER BY foremost.stated DESC, metric_id, year;
