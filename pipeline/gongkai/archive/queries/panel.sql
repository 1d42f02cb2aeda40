-- A metric by issuer and year.
-- metric: id of the metric
-- issuer: part of the issuer's name =
-- first: first year =
-- last: last year =
SELECT issuer, year, value, unit, document_id
FROM panel
WHERE metric_id = $metric
    AND ($issuer IS NULL OR contains(issuer, $issuer))
    AND ($first IS NULL OR year >= CAST($first AS INTEGER))
    AND ($last IS NULL OR year <= CAST($last AS INTEGER))
ORDER BY ALL;
