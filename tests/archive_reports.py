"""A small archive: reports of two issuers over three years with planted contradictions, and what they cite."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from gongkai.export import ERRORS_FILE, Chunk, Format
from gongkai.export.merge import merge
from gongkai.pipeline import Extractor
from gongkai.types import Document, Record, Source

REPORT = """{issuer}{year}年政府信息公开工作年度报告

根据《中华人民共和国政府信息公开条例》和{cites}的要求，编制本报告。

一、主动公开情况
{year}年，本机关主动公开政府信息{disclosed}条。

二、依申请公开情况
{year}年收到政府信息公开申请{received}件，上年结转{over}件，结转下年度继续办理{forward}件。{more}
"""
OPINIONS = "《关于全面推进政务公开工作的意见》（国办发〔2016〕8号）"
OTHER_TITLE = "《关于加快推进依法行政工作的意见》（国办发〔2016〕8号）"
MEASURES = "《临川市政务公开办法》（临府〔2019〕8号）"
OFFICE, BUREAU = "临川市人民政府办公室", "安平县教育局"


def _report(
    issuer: str,
    year: int,
    received: int,
    over: int,
    forward: int,
    *,
    disclosed: int = 1200,
    cites: str = OPINIONS,
    more: str = "",
) -> str:
    return REPORT.format(
        issuer=issuer,
        year=year,
        received=received,
        over=over,
        forward=forward,
        disclosed=disclosed,
        cites=cites,
        more=more,
    )


TEXTS = {
    "office-2019": _report(OFFICE, 2019, 85, 3, 4),
    # Agrees with 2019, and says so.
    "office-2020": _report(OFFICE, 2020, 100, 4, 6, cites=MEASURES, more="2019年收到政府信息公开申请85件。"),
    # 6 were left, 5 arrive; 2020 had 100, not 98; the number has another title.
    "office-2021": _report(
        OFFICE, 2021, 110, 5, 7, cites=OTHER_TITLE, more="2020年收到政府信息公开申请98件。"
    ),
    "bureau-2019": _report(BUREAU, 2019, 20, 1, 2),
    # The same body in the other script.
    "bureau-2020": _report("安平縣教育局", 2020, 30, 2, 3),
    "bureau-2021": _report(BUREAU, 2021, 25, 3, 0),
    # A name that could be anybody's: never compared.
    "anybody-2019": _report("朝阳区人民政府", 2019, 50, 1, 9),
    "anybody-2020": _report("朝阳区人民政府", 2020, 55, 1, 9),
    # Two reports of one name and year that share no value: two bodies.
    "twin-2019-a": _report("平川县人民政府", 2019, 10, 1, 1, disclosed=300),
    "twin-2019-b": _report("平川县人民政府", 2019, 70, 5, 8, disclosed=900),
    "twin-2020": _report("平川县人民政府", 2020, 11, 3, 4),
    "measures": """临川市人民政府关于印发临川市政务公开办法的通知

临府〔2019〕8号

各县人民政府，市政府各部门：
现将《临川市政务公开办法》印发给你们，请遵照执行。

临川市人民政府
2019年5月6日
""",
}


FORMATS = (Format.PARQUET, Format.DUCKDB)


def write(out: Path, records: Iterable[Record]) -> Path:
    """A folder with the tables of the records and no errors, as `gongkai extract -f parquet -f duckdb` leaves it."""
    chunk = out / "chunk"
    out.mkdir(exist_ok=True)
    with Chunk(chunk, FORMATS) as shard:
        for record in records:
            shard.add(record)
    merge([chunk], FORMATS, out)
    (chunk / ERRORS_FILE).replace(out / ERRORS_FILE)
    shutil.rmtree(chunk)
    return out


def records() -> Iterator[Record]:
    """What the rules make of `TEXTS`."""
    extractor = Extractor("rules")
    for name, text in TEXTS.items():
        yield extractor.extract(Document(id=name, text=text, source=Source(path=f"{name}.txt")))
