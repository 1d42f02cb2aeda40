"""The standard forms filled in, as marked-up grids and as lines, whole and damaged as pages damage them."""

from __future__ import annotations

from collections.abc import Sequence

import opencc

from gongkai.structure.cells import read_value
from gongkai.structure.tables import recognise_tables
from gongkai.text import fold
from gongkai.types import Cell, Document, Source, Table

# --- building documents ---------------------------------------------------------------------------

GridRow = Sequence[str | tuple[str, int, int]]
"""Cells of a row: text, or (text, row span, column span)."""


def grid_document(*grids: Sequence[GridRow], before: str = "", after: str = "") -> Document:
    """A document whose text is the cells, tab by tab and line by line, as ingest leaves it."""
    text, tables = before, []
    for number, grid in enumerate(grids):
        start, cells = len(text), []
        filled: set[tuple[int, int]] = set()
        for row, entries in enumerate(grid):
            column = 0
            for entry in entries:
                content, down, across = (entry, 1, 1) if isinstance(entry, str) else entry
                while (row, column) in filled:
                    column += 1
                filled |= {(row + r, column + c) for r in range(down) for c in range(across)}
                cells.append(
                    Cell(
                        row=row,
                        column=column,
                        start=len(text),
                        end=len(text) + len(content),
                        row_span=down,
                        column_span=across,
                    )
                )
                text += content + "\t"
                column += across
            text = text[:-1] + "\n"
        tables.append(Table(id=f"TB{number + 1}", start=start, end=len(text) - 1, cells=tuple(cells)))
    return Document(id="d", text=text + after, source=Source(), tables=tuple(tables))


def paragraphs_of(text: str) -> list[tuple[int, int]]:
    spans, position = [], 0
    for line in fold(text).split("\n"):
        if line.strip(" \u200b"):
            spans.append((position, position + len(line)))
        position += len(line) + 1
    return spans


def tables_of(source: Document | str) -> tuple[Table, ...]:
    document = Document(id="d", text=source, source=Source()) if isinstance(source, str) else source
    tables = recognise_tables(document, fold(document.text), paragraphs_of(document.text))
    for table in tables:
        check_offsets(document.text, table)
    return tables


def check_offsets(text: str, table: Table) -> None:
    assert 0 <= table.start <= table.end <= len(text)
    for cell in table.cells:
        assert table.start <= cell.start <= cell.end <= table.end
        content = text[cell.start : cell.end]
        assert (cell.state == "empty") == (content == "")
        assert content == content.strip()
        if cell.value is not None:
            assert read_value(fold(content)) == ("number", cell.value)


def values_of(table: Table) -> dict[tuple[str | None, str | None], float | None]:
    return {
        (c.metric_id, c.category): c.value if c.state == "number" else None
        for c in table.cells
        if c.metric_id and c.state in ("number", "slash", "empty")
    }


# --- the forms, filled in -------------------------------------------------------------------------

APPLICANTS = ["自然人", "商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他", "总计"]
CATEGORIES = [
    "natural_person",
    "legal.business",
    "legal.research",
    "legal.charity",
    "legal.law_service",
    "legal.other",
    "total",
]
ITEMS_C = [
    ("", "一、本年新收政府信息公开申请数量", "requests.received"),
    ("", "二、上年结转政府信息公开申请数量", "requests.carried_over"),
    ("", "（一）予以公开", "outcome.granted"),
    ("", "（二）部分公开（区分处理的，只计这一情形，不计其他情形）", "outcome.granted_partly"),
    ("（三）不予公开", "1.属于国家秘密", "outcome.refused.state_secret"),
    ("", "2.其他法律行政法规禁止公开", "outcome.refused.prohibited"),
    ("", "3.危及“三安全一稳定”", "outcome.refused.security"),
    ("", "4.保护第三方合法权益", "outcome.refused.third_party"),
    ("", "5.属于三类内部事务信息", "outcome.refused.internal"),
    ("", "6.属于四类过程性信息", "outcome.refused.process"),
    ("", "7.属于行政执法案卷", "outcome.refused.enforcement_file"),
    ("", "8.属于行政查询事项", "outcome.refused.administrative_query"),
    ("（四）无法提供", "1.本机关不掌握相关政府信息", "outcome.unavailable.not_held"),
    ("", "2.没有现成信息需要另行制作", "outcome.unavailable.needs_creation"),
    ("", "3.补正后申请内容仍不明确", "outcome.unavailable.unclear"),
    ("（五）不予处理", "1.信访举报投诉类申请", "outcome.not_processed.petition"),
    ("", "2.重复申请", "outcome.not_processed.repeated"),
    ("", "3.要求提供公开出版物", "outcome.not_processed.publications"),
    ("", "4.无正当理由大量反复申请", "outcome.not_processed.excessive"),
    ("", "5.要求行政机关确认或重新出具已获取信息", "outcome.not_processed.reconfirmation"),
    (
        "（六）其他处理",
        "1.申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请",
        "outcome.other.not_corrected",
    ),
    (
        "",
        "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请",
        "outcome.other.fee_unpaid",
    ),
    ("", "3.其他", "outcome.other.other"),
    ("", "（七）总计", "outcome.total"),
    ("", "四、结转下年度继续办理", "requests.carried_forward"),
]
ITEMS_B = [*ITEMS_C[:20], ("", "（六）其他处理", "outcome.other"), *ITEMS_C[23:]]


def numbers(row: int) -> list[str]:
    """Seven different numbers for a row, the last the sum of the others."""
    parts = [row + 1, 2, 0, row % 3, 0, 1]
    return [*map(str, parts), str(sum(parts))]


def expected_three(items: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str], float]:
    return {
        (metric, category): float(number)
        for row, (_, _, metric) in enumerate(items)
        for category, number in zip(CATEGORIES, numbers(row), strict=True)
    }


def grid_three(items: Sequence[tuple[str, str, str]]) -> list[GridRow]:
    """Table three as the form prints it: three columns of labels, merged cells, two rows of headers."""
    rows: list[GridRow] = [
        [
            ("（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）", 3, 3),
            ("申请人情况", 1, 7),
        ],
        [("自然人", 2, 1), ("法人或其他组织", 1, 5), ("总计", 2, 1)],
        APPLICANTS[1:6],
    ]
    depth = {"（三）不予公开": 8, "（四）无法提供": 3, "（五）不予处理": 5, "（六）其他处理": 3}
    inside = 0
    for number, (group, label, _) in enumerate(items):
        row: list[str | tuple[str, int, int]] = []
        if number == 2:
            row.append(("三、本年度办理结果", len(items) - 3, 1))
        if group:
            row.append((group, depth[group], 1))
            inside = depth[group]
        outside = number in (0, 1, len(items) - 1)
        row.append((label, 1, 3 if outside else 1 if inside else 2))
        inside = max(0, inside - 1)
        rows.append([*row, *numbers(number)])
    return rows


def flat_three(items: Sequence[tuple[str, str, str]], headers: bool = True) -> list[str]:
    lines = ["申请人情况", "自然人", "法人或其他组织", "总计", *APPLICANTS[1:6]] if headers else []
    for number, (group, label, _) in enumerate(items):
        if number == 2:
            lines.append("三、本年度办理结果")
        lines += [group] * bool(group) + [label, *numbers(number)]
    return lines


TWO_C: list[GridRow] = [
    [("第二十条第（一）项", 1, 4)],
    ["信息内容", "本年制发件数", "本年废止件数", "现行有效件数"],
    ["规章", "1", "2", "3"],
    ["行政规范性文件", "4", "/", ""],
    [("第二十条第（五）项", 1, 4)],
    ["信息内容", ("本年处理决定数量", 1, 3)],
    ["行政许可", ("1,234", 1, 3)],
    [("第二十条第（六）项", 1, 4)],
    ["信息内容", ("本年处理决定数量", 1, 3)],
    ["行政处罚", ("56", 1, 3)],
    ["行政强制", ("0", 1, 3)],
    [("第二十条第（八）项", 1, 4)],
    ["信息内容", ("本年收费金额（单位：万元）", 1, 3)],
    ["行政事业性收费", ("12.5", 1, 3)],
]
TWO_C_VALUES = {
    ("regulations.issued", None): 1.0,
    ("regulations.repealed", None): 2.0,
    ("regulations.in_force", None): 3.0,
    ("normative.issued", None): 4.0,
    ("normative.repealed", None): None,
    ("normative.in_force", None): None,
    ("licensing.decisions", None): 1234.0,
    ("penalty.decisions", None): 56.0,
    ("coercion.decisions", None): 0.0,
    ("administrative_fees.amount", None): 12.5,
}
TWO_B: list[GridRow] = [
    [("第二十条第（一）项", 1, 4)],
    ["信息内容", "本年新制作数量", "本年新公开数量", "对外公开总数量"],
    ["规章", "1", "2", "3"],
    ["规范性文件", "4", "5", "6"],
    [("第二十条第（五）项", 1, 4)],
    ["信息内容", "上一年项目数量", "本年增/减", "处理决定数量"],
    ["行政许可", "7", "-8", "9"],
    ["其他对外管理服务事项", "10", "+11", "12"],
    [("第二十条第（六）项", 1, 4)],
    ["信息内容", "上一年项目数量", "本年增/减", "处理决定数量"],
    ["行政处罚", "13", "14", "15"],
    ["行政强制", "16", "17", "18"],
    [("第二十条第（八）项", 1, 4)],
    ["信息内容", "上一年项目数量", ("本年增/减", 1, 2)],
    ["行政事业性收费", "19", ("20", 1, 2)],
    [("第二十条第（九）项", 1, 4)],
    ["信息内容", "采购项目数量", ("采购总金额", 1, 2)],
    ["政府集中采购", "21", ("2200.5万元", 1, 2)],
]
RESULTS = ["结果维持", "结果纠正", "其他结果", "尚未审结", "总计"]
FOUR: list[GridRow] = [
    [("行政复议", 1, 5), ("行政诉讼", 1, 10)],
    [(result, 2, 1) for result in RESULTS] + [("未经复议直接起诉", 1, 5), ("复议后起诉", 1, 5)],
    RESULTS * 2,
    [str(n) for n in range(1, 16)],
]
FOUR_VALUES = {
    (f"{group}.{result}", None): float(5 * g + r + 1)
    for g, group in enumerate(("reconsideration", "litigation.direct", "litigation.after_review"))
    for r, result in enumerate(("upheld", "corrected", "other", "pending", "total"))
}
FORM_A = [
    ("一、主动公开情况", "——", "——", None),
    ("（一）主动公开政府信息数（不同渠道和方式公开相同信息计1条）", "条", "863", "disclosure.total"),
    ("其中：主动公开规范性文件数", "条", "12", "disclosure.normative"),
    ("制发规范性文件总数", "件", "14", "normative.issued"),
    ("（二）通过不同渠道和方式公开政府信息的情况", "——", "——", None),
    ("1.政府公报公开政府信息数", "条", "0", "disclosure.gazette"),
    ("2.政府网站公开政府信息数", "条", "800", "disclosure.website"),
    ("3.政务微博公开政府信息数", "条", "1,063", "disclosure.weibo"),
    ("二、回应解读情况", "——", "——", None),
    ("1.参加或举办新闻发布会总次数", "次", "3", "press.conferences"),
    ("其中：主要负责同志参加新闻发布会次数", "次", "1", "press.conferences.principal"),
    ("三、依申请公开情况", "——", "——", None),
    ("（一）收到申请数", "件", "9", "requests.received"),
    ("1.当面申请数", "件", "2", "requests.received.in_person"),
    ("2.传真申请数", "件", "0", "requests.received.fax"),
    ("3.网络申请数", "件", "6", "requests.received.online"),
    ("4.信函申请数", "件", "1", "requests.received.mail"),
    ("（三）申请答复数", "件", "9", "outcome.total"),
    ("其中：涉及国家秘密", "件", "1", "outcome.refused.state_secret"),
    ("危及国家安全、公共安全、经济安全和社会稳定", "件", "0", "outcome.refused.security"),
    ("不是《条例》所指政府信息", "件", "2", "outcome.refused.not_government_information"),
    ("四、行政复议数量", "件", "6", "reconsideration.total"),
    ("（一）维持具体行政行为数", "件", "1", "reconsideration.upheld"),
    ("（二）被依法纠错数", "件", "2", "reconsideration.corrected"),
    ("（三）其他情形数", "件", "3", "reconsideration.other"),
    ("五、行政诉讼数量", "件", "15", "litigation.total"),
    ("（一）维持具体行政行为或者驳回原告诉讼请求数", "件", "4", "litigation.upheld"),
    ("（二）被依法纠错数", "件", "5", "litigation.corrected"),
    ("（三）其他情形数", "件", "6", "litigation.other"),
    ("七、依申请公开信息收取的费用", "万元", "0.35", "fees.collected"),
    ("（三）从事政府信息公开工作人员数", "人", "5", "staff.total"),
    ("1.专职人员数（不包括政府公报及政府网站工作人员数）", "人", "2", "staff.fulltime"),
    ("（三）接受培训人员数", "人次", "120", "training.participants"),
]
FORM_A_VALUES = {(m, None): float(n.replace(",", "")) for _, _, n, m in FORM_A if m}
HANT = opencc.OpenCC("s2t")
HANT_TW = opencc.OpenCC("s2twp")


# --- damaged grids --------------------------------------------------------------------------------


def without_spans(grid: Sequence[GridRow]) -> list[GridRow]:
    """The page lost its rowspan and colspan attributes."""
    return [[cell if isinstance(cell, str) else cell[0] for cell in row] for row in grid]


def repeated_headers(grid: Sequence[GridRow]) -> list[GridRow]:
    return [*grid[:8], *grid[:3], *grid[8:]]


def spaced(grid: Sequence[GridRow]) -> list[GridRow]:
    """Spaces and zero-width characters inside the labels, full-width digits."""

    def damage(text: str) -> str:
        if text.isdigit():
            return f" {text.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})}\u200b"
        return text[:2] + "\u3000\u200b" + text[2:]

    return [[damage(c) if isinstance(c, str) else (damage(c[0]), *c[1:]) for c in row] for row in grid]


def traditional(grid: Sequence[GridRow]) -> list[GridRow]:
    return [
        [HANT.convert(c) if isinstance(c, str) else (HANT.convert(c[0]), *c[1:]) for c in row] for row in grid
    ]


def extra_column(grid: Sequence[GridRow]) -> list[GridRow]:
    return [[*row, ""] for row in grid]


def other_numbering(grid: Sequence[GridRow]) -> list[GridRow]:
    def change(text: str) -> str:
        return text.replace("1.", "（1）").replace("2.", "2、").replace("（一）", "(一)").replace("一、", "")

    return [[change(c) if isinstance(c, str) else (change(c[0]), *c[1:]) for c in row] for row in grid]


DAMAGES = [without_spans, repeated_headers, spaced, traditional, extra_column, other_numbering]


# --- flattened to lines ---------------------------------------------------------------------------

PROSE = "  本机关认真落实《条例》规定，不断完善工作机制，全年收到申请9件，均已按时答复。\n"


def in_prose(lines: Sequence[str]) -> str:
    return PROSE + "三、收到和处理政府信息公开申请情况\n" + "\n".join(lines) + "\n" + PROSE


FLAT_DAMAGES = {
    "one cell a line": in_prose,
    "blank line between": lambda lines: in_prose([x for line in lines for x in (line, "")]),
    "indented": lambda lines: in_prose([f"\u3000\u3000{line} " for line in lines]),
    "traditional": lambda lines: HANT.convert(in_prose(lines)),
    "full-width": lambda lines: in_prose(
        [x.translate({48 + n: 0xFF10 + n for n in range(10)}) for x in lines]
    ),
    "zero-width": lambda lines: in_prose([f"{line[:2]}\u200b{line[2:]}" for line in lines]),
}


def row_a_line(separator: str) -> str:
    lines = [separator.join(["申请人情况", *APPLICANTS])]
    for number, (group, label, _) in enumerate(ITEMS_C):
        cells = [group, label, *numbers(number)] if separator != " " else [label, *numbers(number)]
        lines.append(separator.join(cells))
    return in_prose(lines)


def flat(grid: Sequence[GridRow]) -> list[str]:
    return [cell if isinstance(cell, str) else cell[0] for row in grid for cell in row]


A_LINES = {
    "cells": [cell for row in FORM_A for cell in row[:3]],
    "no unit": [cell for row in FORM_A for cell in (row[0], row[2])],
    "rows": [" ".join(row[:3]) for row in FORM_A],
    "tabs": ["\t".join(row[:3]) for row in FORM_A],
    "no headings": [cell for row in FORM_A if row[3] for cell in row[:3]],
    "notes apart": [
        cell for row in FORM_A for cell in (*row[0].replace("（不", "\n（不").split("\n"), *row[1:3])
    ],
}
