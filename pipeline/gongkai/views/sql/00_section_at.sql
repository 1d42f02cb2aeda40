-- The innermost section of a document at an offset.
CREATE MACRO section_at(document, offset_) AS (
    SELECT arg_max(section_id, sections.start_offset)
    FROM sections
    WHERE sections.document_id = document
        AND sections.start_offset <= offset_ AND offset_ < sections.end_offset
);
