-- Facts, each with its document and its metric's label.
CREATE VIEW fact_documents AS
SELECT
    document_id, title, issuer, year, doc_type, published, path, member, url,
    facts.* EXCLUDE (document_id),
    metrics.label AS metric_label
FROM facts JOIN documents USING (document_id) LEFT JOIN metrics USING (metric_id);
