-- Findings by check and severity, within reports and between them.
SELECT check_name, severity, count(*) AS findings FROM findings GROUP BY ALL
UNION ALL
SELECT rule, severity, count(*) FROM archive_findings GROUP BY ALL
ORDER BY list_position(['error', 'warning', 'notice'], severity), findings DESC, check_name;
