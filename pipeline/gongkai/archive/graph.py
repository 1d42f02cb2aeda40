"""The citation graph as GraphML, which graph tools read (networkx, Gephi, Cytoscape)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
from lxml import etree  # type: ignore[import-untyped]

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_NODE_DATA = {
    "title": "string", "docno": "string", "issuer": "string", "year": "int", "in_archive": "boolean",
}  # fmt: skip
_EDGE_DATA = {"mentions": "int"}

_NODES = """
    SELECT document_id AS id, title, docno, issuer, year, true AS in_archive
    FROM documents
    WHERE document_id IN (SELECT document_id FROM edges UNION SELECT cited_document_id FROM edges)
    UNION ALL
    SELECT
        'cited:' || cited, mode(title ORDER BY title), mode(docno ORDER BY docno), NULL, NULL, false
    FROM edges WHERE cited_document_id IS NULL
    GROUP BY cited
    ORDER BY id
"""
_EDGES = """
    SELECT document_id AS source, coalesce(cited_document_id, 'cited:' || cited) AS target,
        sum(mentions)::BIGINT AS mentions
    FROM edges
    GROUP BY ALL
    ORDER BY ALL
"""


def write_graph(archive: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Write the table `edges` of citations as GraphML, node by node, in bounded memory.

    Nodes are documents of the archive that cite or are cited, by their ids, and documents cited that are not in
    it, as `cited:` and their number or title. An edge leads from the citing document to the cited one.
    """
    with etree.xmlfile(str(file), encoding="utf-8") as xml:
        xml.write_declaration()
        with xml.element("graphml", xmlns=NAMESPACE):
            for kind, data in (("node", _NODE_DATA), ("edge", _EDGE_DATA)):
                for name, form in data.items():
                    attributes = {"id": name, "for": kind, "attr.name": name, "attr.type": form}
                    xml.write(etree.Element("key", attributes))
            with xml.element("graph", edgedefault="directed"):
                for row in _rows(archive, _NODES):
                    xml.write(_element("node", {"id": row.pop("id")}, row))
                for row in _rows(archive, _EDGES):
                    ends = {"source": row.pop("source"), "target": row.pop("target")}
                    xml.write(_element("edge", ends, row))


def _rows(archive: duckdb.DuckDBPyConnection, sql: str) -> Iterator[dict[str, Any]]:
    for batch in archive.sql(sql).to_arrow_reader(10_000):
        yield from batch.to_pylist()


def _element(tag: str, attributes: Mapping[str, str], data: Mapping[str, Any]) -> etree._Element:
    element = etree.Element(tag, {name: _clean(value) for name, value in attributes.items()})
    for name, value in data.items():
        if value is not None:
            shown = str(value).lower() if isinstance(value, bool) else _clean(str(value))
            etree.SubElement(element, "data", key=name).text = shown
    return element


def _clean(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(character for character in text if character >= " " or character in "\t\n\r")
