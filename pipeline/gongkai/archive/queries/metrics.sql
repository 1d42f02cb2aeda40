-- The metrics that reports state, with how many issuers and years.
SELECT
    metric_id, metric_label, count(DISTINCT issuer) AS issuers, min(year) AS first, max(year) AS last,
    count(*) AS "values", median(value) AS median
FROM panel
GROUP BY ALL
ORDER BY "values" DESC, metric_id;
