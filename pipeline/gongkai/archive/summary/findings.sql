-- The gravest findings with their evidence in context: `around` characters of the document on either side.
WITH every AS (
    SELECT
        1 AS source, check_name AS name, severity, message, document_id,
        list_transform(spans, lambda s: {
            'document_id': document_id, 'start_offset': s.start_offset, 'end_offset': s.end_offset
        }) AS spans
    FROM findings
    UNION ALL
    SELECT
        0, rule, severity, message, document_id,
        list_transform(spans, lambda s: {
            'document_id': s.document_id, 'start_offset': s.start_offset, 'end_offset': s.end_offset
        })
    FROM archive_findings
),
ranked AS (
    SELECT
        *, row_number() OVER (
            ORDER BY list_position(['error', 'warning', 'notice'], severity), source, name, document_id, message, spans
        ) AS place
    FROM every
    QUALIFY place <= $most
),
evidence AS (
    SELECT place, unnest(spans[:$spans]) AS span, generate_subscripts(spans[:$spans], 1) AS number FROM ranked
),
shown AS (
    SELECT
        place,
        list({
            'document_id': d.document_id, 'title': d.title, 'issuer': d.issuer, 'year': d.year,
            'start': span.start_offset,
            'before': substring(d.text, greatest(span.start_offset - $around, 0) + 1, least(span.start_offset, $around)),
            'marked': substring(d.text, span.start_offset + 1, span.end_offset - span.start_offset),
            'after': substring(d.text, span.end_offset + 1, $around)
        } ORDER BY number) AS evidence
    FROM evidence JOIN documents AS d ON d.document_id = span.document_id
    GROUP BY place
)
SELECT place, name, severity, message, document_id, source = 0 AS between_reports, len(spans) AS spans, evidence
FROM ranked LEFT JOIN shown USING (place)
ORDER BY place;
