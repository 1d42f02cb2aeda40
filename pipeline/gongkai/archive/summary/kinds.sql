-- Documents by kind.
SELECT doc_type, count(*) AS documents FROM documents GROUP BY doc_type ORDER BY documents DESC, doc_type;
