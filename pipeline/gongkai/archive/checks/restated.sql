-- A year's value as that year's report states it, against the next year's report.
SELECT
    'restated' AS rule, this.issuer_key AS issuer, this.year, this.metric_id, this.unit,
    last.metric_label AS label, last.metric_label AS last_label,
    this.value AS reported, last.value AS expected,
    [
        {
            'document_id': this.document_id, 'section_id': this.section_id, 'fact_id': this.fact_id,
            'start_offset': this.start_offset, 'end_offset': this.end_offset, 'text': this.text
        },
        {
            'document_id': last.document_id, 'section_id': last.section_id, 'fact_id': last.fact_id,
            'start_offset': last.start_offset, 'end_offset': last.end_offset, 'text': last.text
        }
    ] AS facts
FROM stated AS this
JOIN compared AS last
    ON last.issuer = this.issuer_key AND last.metric_id = this.metric_id AND last.year = this.value_year
WHERE this.value_year = this.year - 1
    AND abs(this.value - last.value) > greatest(this.tolerance, last.tolerance) + 1e-9
ORDER BY issuer, year, metric_id, this.document_id;
