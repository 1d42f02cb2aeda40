"""Statistics tables: cells, labels, standard forms, from marked-up grids and from flattened text."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import opencc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongkai.structure.tables import label_key, load_forms, read_value, recognise_tables
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


# --- single cells ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "state", "value"),
    [
        ("12", "number", 12.0),
        ("１，０２４", "number", 1024.0),
        ("1 234", "number", 1234.0),
        ("1\u200b2", "number", 12.0),
        ("-3", "number", -3.0),
        ("+3", "number", 3.0),
        ("12.50", "number", 12.5),
        ("12件", "number", 12.0),
        ("50%", "number", 0.5),
        ("3.5万元", "number", 3.5),
        ("/", "slash", None),
        ("——", "slash", None),
        ("／", "slash", None),
        ("", "empty", None),
        ("\u200b \n", "empty", None),
        ("0", "number", 0.0),
        ("2018年", "text", None),
        ("1.属于国家秘密", "text", None),
        ("1,23", "text", None),
        ("0755-12345678", "text", None),
        ("9" * 400, "text", None),
    ],
)
def test_value_of_a_cell(content: str, state: str, value: float | None) -> None:
    assert read_value(fold(content)) == (state, value)


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("一、本年新收政府信息公开申请数量", "本年新收政府信息公开申请数量"),
        ("（一）予以公开", "予以公开"),
        ("（一予以公开", "予以公开"),
        ("1．属于国家秘密", "属于国家秘密"),
        ("1属于国家秘密", "属于国家秘密"),
        ("（1）属于国家秘密", "属于国家秘密"),
        ("①属于国家秘密", "属于国家秘密"),
        ("3.危及「三安全一稳定」", "危及三安全一稳定"),
        ("總\u200b 計", "总计"),
        ("其中：主动公开规范性文件数", "主动公开规范性文件数"),
        ("本年收费金额（单位：万元）", "本年收费金额"),
        ("網際網路申請數", "互联网申请数"),
        ("三类内部事务", "三类内部事务"),
    ],
)
def test_key_of_a_label(label: str, key: str) -> None:
    assert label_key(label) == key


def test_every_row_of_the_forms_is_found_by_its_own_label() -> None:
    for form in load_forms():
        keys = [label_key(label) for row in form.rows for label in row.labels]
        assert all(keys), form.form
        assert all(len(row.metrics) == len(row.columns) for row in form.rows)


# --- marked-up grids ------------------------------------------------------------------------------


@pytest.mark.parametrize(("items", "form"), [(ITEMS_C, "C.3"), (ITEMS_B, "B.3")], ids=["C", "B"])
def test_table_three_from_a_grid(items: Sequence[tuple[str, str, str]], form: str) -> None:
    before = (
        "某局2020年政府信息公开工作年度报告\n" if form == "B.3" else "某局2023年政府信息公开工作年度报告\n"
    )
    (table,) = tables_of(grid_document(grid_three(items), before=before))
    assert table.form == form
    assert not table.flattened
    assert values_of(table) == expected_three(items)


def test_labels_of_table_three() -> None:
    document = grid_document(grid_three(ITEMS_C))
    (table,) = tables_of(document)
    cell = next(
        c for c in table.cells if (c.metric_id, c.category) == ("outcome.refused.internal", "legal.research")
    )
    assert cell.row_label == "三、本年度办理结果 / （三）不予公开 / 5.属于三类内部事务信息"
    assert cell.column_label == "法人或其他组织 / 科研机构"
    headers = {document.text[c.start : c.end] for c in table.cells if c.state == "header"}
    assert {"自然人", "总计", "（三）不予公开", "3.其他"} <= headers


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


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_table_three(damage) -> None:  # type: ignore[no-untyped-def]
    (table,) = tables_of(grid_document(damage(grid_three(ITEMS_C))))
    assert table.form == "C.3"
    assert values_of(table) == expected_three(ITEMS_C)


def test_table_three_in_two_parts() -> None:
    grid = grid_three(ITEMS_C)
    first, second = tables_of(grid_document(grid[:14], grid[14:]))
    assert (first.form, second.form) == ("C.3", "C.3")
    assert values_of(first) | values_of(second) == expected_three(ITEMS_C)


def test_a_row_that_lacks_a_cell_is_not_guessed() -> None:
    grid = grid_three(ITEMS_C)
    grid[3] = grid[3][:-1]
    (table,) = tables_of(grid_document(grid))
    short = [c for c in table.cells if c.metric_id == "requests.received"]
    assert len(short) == 6
    assert {c.category for c in short} == {None}
    assert short[0].row_label == "一、本年新收政府信息公开申请数量"


def test_empty_slash_and_zero_stay_three_statements() -> None:
    grid = grid_three(ITEMS_C)
    grid[3] = [*grid[3][:1], "0", "/", "", "—", "0", "", "0"]
    (table,) = tables_of(grid_document(grid))
    states = [c.state for c in table.cells if c.metric_id == "requests.received"]
    assert states == ["number", "slash", "empty", "slash", "number", "empty", "number"]


@pytest.mark.parametrize(
    "damage", [lambda g: g, without_spans, spaced, traditional], ids=["whole", "spans", "spaced", "hant"]
)
def test_table_two_of_c(damage) -> None:  # type: ignore[no-untyped-def]
    (table,) = tables_of(grid_document(damage(TWO_C)))
    assert table.form == "C.2"
    assert values_of(table) == TWO_C_VALUES


def test_column_labels_of_table_two() -> None:
    (table,) = tables_of(grid_document(TWO_C))
    labels = {c.metric_id: c.column_label for c in table.cells if c.metric_id}
    assert labels["normative.in_force"] == "第二十条第（一）项 / 现行有效件数"
    assert labels["penalty.decisions"] == "第二十条第（六）项 / 本年处理决定数量"


@pytest.mark.parametrize("damage", [lambda g: g, without_spans], ids=["whole", "spans"])
def test_table_two_of_b(damage) -> None:  # type: ignore[no-untyped-def]
    (table,) = tables_of(grid_document(damage(TWO_B)))
    assert table.form == "B.2"
    found = values_of(table)
    assert found["regulations.disclosed", None] == 3
    assert found["licensing.change", None] == -8
    assert found["other_services.decisions", None] == 12
    assert found["administrative_fees.change", None] == 20
    assert found["procurement.amount", None] == 2200.5
    assert len(found) == 22


@pytest.mark.parametrize(
    "damage", [lambda g: g, without_spans, spaced, traditional], ids=["whole", "spans", "spaced", "hant"]
)
def test_table_four(damage) -> None:  # type: ignore[no-untyped-def]
    (table,) = tables_of(grid_document(damage(FOUR)))
    assert table.form == "C.4"
    assert values_of(table) == FOUR_VALUES


def test_table_four_of_a_report_with_table_two_of_b() -> None:
    forms = [table.form for table in tables_of(grid_document(TWO_B, grid_three(ITEMS_B), FOUR))]
    assert forms == ["B.2", "B.3", "B.4"]


@pytest.mark.parametrize("convert", [str, HANT.convert, HANT_TW.convert], ids=["hans", "hant", "taiwan"])
def test_form_a_from_a_grid(convert) -> None:  # type: ignore[no-untyped-def]
    grid = [["统计指标", "单位", "统计数"], *([label, unit, number] for label, unit, number, _ in FORM_A)]
    (table,) = tables_of(grid_document([[convert(c) for c in row] for row in grid]))
    assert table.form == "A"
    assert values_of(table) == FORM_A_VALUES


def test_form_a_in_two_halves_side_by_side() -> None:
    half = len(FORM_A) // 2
    grid = [[*a[:3], *b[:3]] for a, b in zip(FORM_A[:half], FORM_A[half : 2 * half], strict=True)]
    (table,) = tables_of(grid_document(grid))
    assert table.form == "A"
    found = values_of(table)
    assert found["requests.received", None] == 9
    assert found["fees.collected", None] == 0.35


def test_any_other_grid_keeps_its_labels() -> None:
    grid: list[GridRow] = [
        [("单位", 2, 1), ("2020年", 1, 2), ("2021年", 1, 2)],
        ["收到", "办结", "收到", "办结"],
        ["某局", "3", "2", "5", "5"],
        ["某委", "", "/", "1", "0"],
    ]
    (table,) = tables_of(grid_document(grid))
    assert table.form is None
    cell = next(c for c in table.cells if (c.row, c.column) == (2, 4))
    assert (cell.row_label, cell.column_label, cell.value) == ("某局", "2021年 / 办结", 5.0)
    assert [c.state for c in table.cells if c.row == 3] == ["header", "empty", "slash", "number", "number"]


def test_a_grid_of_words_has_one_header_row() -> None:
    (table,) = tables_of(grid_document([["姓名", "职务"], ["甲某", "科长"], ["乙某", "局长"]]))
    assert [c.state for c in table.cells] == ["header"] * 2 + ["text"] * 4


def test_lines_of_a_marked_up_table_are_not_read_twice() -> None:
    assert len(tables_of(grid_document(grid_three(ITEMS_C), before="表如下\n", after="完\n"))) == 1


# --- flattened tables -----------------------------------------------------------------------------

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


@pytest.mark.parametrize("damage", FLAT_DAMAGES.values(), ids=FLAT_DAMAGES.keys())
@pytest.mark.parametrize(("items", "form"), [(ITEMS_C, "C.3"), (ITEMS_B, "B.3")], ids=["C", "B"])
def test_table_three_flattened(damage, items, form) -> None:  # type: ignore[no-untyped-def]
    title = "某局2019年政府信息公开工作年度报告\n" if form == "B.3" else ""
    (table,) = tables_of(title + damage(flat_three(items)))
    assert (table.form, table.flattened) == (form, True)
    assert values_of(table) == expected_three(items)


def row_a_line(separator: str) -> str:
    lines = [separator.join(["申请人情况", *APPLICANTS])]
    for number, (group, label, _) in enumerate(ITEMS_C):
        cells = [group, label, *numbers(number)] if separator != " " else [label, *numbers(number)]
        lines.append(separator.join(cells))
    return in_prose(lines)


@pytest.mark.parametrize("separator", ["\t", "|", " | ", "  ", " "])
def test_table_three_one_row_a_line(separator: str) -> None:
    (table,) = tables_of(row_a_line(separator))
    assert table.form == "C.3"
    assert values_of(table) == expected_three(ITEMS_C)


def test_a_label_broken_over_lines() -> None:
    lines = [
        part for line in flat_three(ITEMS_C) for part in ([line[:6], line[6:]] if len(line) > 9 else [line])
    ]
    (table,) = tables_of(in_prose(lines))
    found = values_of(table)
    for metric in ("requests.received", "outcome.refused.security", "outcome.not_processed.excessive"):
        assert found[metric, "total"] == expected_three(ITEMS_C)[metric, "total"]


def test_rows_as_a_pdf_breaks_them() -> None:
    lines = []
    for number, (group, label, _) in enumerate(ITEMS_C):
        whole = f"{group[:4]} {label}".strip()
        cells = " ".join(numbers(number))
        broken = [f"{whole[:-3]} {cells}", whole[-3:]]
        lines += broken if len(label) > 13 and not group and "（" not in label[1:] else [f"{whole} {cells}"]
    (table,) = tables_of(in_prose(lines))
    assert table.form == "C.3"
    assert values_of(table) == expected_three(ITEMS_C)


def test_a_heading_that_took_over_the_numbers_of_a_lost_label_has_no_metric() -> None:
    lines = flat_three(ITEMS_C)
    lines.remove(ITEMS_C[20][1])
    (table,) = tables_of(in_prose(lines))
    assert table.form == "C.3"
    assert values_of(table).items() <= expected_three(ITEMS_C).items()


def test_form_b_without_a_year_is_known_by_its_own_row() -> None:
    (table,) = tables_of(in_prose(flat_three(ITEMS_B)))
    assert table.form == "B.3"


def test_a_page_number_inside_a_table_spoils_its_row_alone() -> None:
    lines = flat_three(ITEMS_C)
    place = lines.index("3.要求提供公开出版物")
    (table,) = tables_of(in_prose([*lines[:place], "- 4 -", "4", *lines[place:]]))
    expected = expected_three(ITEMS_C)
    found = values_of(table)
    assert {k: v for k, v in found.items() if k[1]}.items() <= expected.items()
    assert len(expected) - len(expected.items() & found.items()) <= 7


def test_cells_that_vanished_are_not_guessed() -> None:
    lines = flat_three(ITEMS_C)
    place = lines.index("2.重复申请")
    del lines[place + 3 : place + 5]
    (table,) = tables_of(in_prose(lines))
    cells = [c for c in table.cells if c.metric_id == "outcome.not_processed.repeated"]
    assert len(cells) == 5
    assert {(c.category, c.column_label) for c in cells} == {(None, None)}
    assert cells[0].row_label == "三、本年度办理结果 / （五）不予处理 / 2.重复申请"
    others = {k: v for k, v in expected_three(ITEMS_C).items() if k[0] != "outcome.not_processed.repeated"}
    assert others.items() <= values_of(table).items()


def test_blank_lines_that_stand_for_empty_cells() -> None:
    lines = flat_three(ITEMS_C)
    place = lines.index("2.重复申请")
    lines[place + 3 : place + 5] = ["", ""]
    (table,) = tables_of(in_prose(lines))
    cells = [c for c in table.cells if c.metric_id == "outcome.not_processed.repeated"]
    assert [c.category for c in cells] == CATEGORIES
    assert [c.state for c in cells] == ["number", "number", "empty", "empty", "number", "number", "number"]


def flat(grid: Sequence[GridRow]) -> list[str]:
    return [cell if isinstance(cell, str) else cell[0] for row in grid for cell in row]


def test_table_two_flattened() -> None:
    (table,) = tables_of(in_prose(flat(TWO_C)))
    assert (table.form, table.flattened) == ("C.2", True)
    assert values_of(table) == TWO_C_VALUES
    (table,) = tables_of(in_prose(flat(TWO_B)))
    assert table.form == "B.2"
    assert values_of(table) == values_of(tables_of(grid_document(TWO_B))[0])


@pytest.mark.parametrize(
    "lines", [flat(FOUR), [*flat(FOUR)[:-15], " ".join(flat(FOUR)[-15:])]], ids=["cells", "row"]
)
def test_table_four_flattened(lines: list[str]) -> None:
    (table,) = tables_of(in_prose(lines))
    assert (table.form, table.flattened) == ("C.4", True)
    assert values_of(table) == FOUR_VALUES


def test_table_four_with_broken_headers() -> None:
    lines = [
        part for line in flat(FOUR) for part in ([line[:2], line[2:]] if line in RESULTS[:4] else [line])
    ]
    (table,) = tables_of(in_prose(lines))
    assert values_of(table) == FOUR_VALUES


def test_table_four_that_lost_a_number() -> None:
    (table,) = tables_of(in_prose(flat(FOUR)[:-1]))
    assert table.form == "C.4"
    assert values_of(table) == {}


def test_table_four_in_three_groups() -> None:
    groups = ["行政复议", "未经复议直接起诉", "复议后起诉"]
    lines = [c for n, g in enumerate(groups) for c in (g, *RESULTS, *map(str, range(5 * n + 1, 5 * n + 6)))]
    (table,) = tables_of(in_prose(lines))
    assert values_of(table) == FOUR_VALUES


def test_table_four_with_a_column_too_many_goes_by_its_headers() -> None:
    (table,) = tables_of(grid_document([["备注", *FOUR[0]], ["", *FOUR[1]], ["", *FOUR[2]], ["9", *FOUR[3]]]))
    found = values_of(table)
    assert table.form == "C.4"
    assert found["reconsideration.upheld", None] == 1


def test_three_tables_one_after_the_other() -> None:
    lines = [
        "二、主动公开政府信息情况",
        *flat(TWO_C),
        "三、收到和处理政府信息公开申请情况",
        *flat_three(ITEMS_C),
        "四、政府信息公开行政复议、行政诉讼情况",
        *flat(FOUR),
        "五、存在的主要问题及改进情况",
    ]
    two, three, four = tables_of("\n".join(lines) + "\n" + PROSE)
    assert [t.form for t in (two, three, four)] == ["C.2", "C.3", "C.4"]
    assert [t.id for t in (two, three, four)] == ["TB1", "TB2", "TB3"]
    assert values_of(two) == TWO_C_VALUES
    assert values_of(three) == expected_three(ITEMS_C)
    assert values_of(four) == FOUR_VALUES


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


@pytest.mark.parametrize("lines", A_LINES.values(), ids=A_LINES.keys())
@pytest.mark.parametrize("convert", [str, HANT_TW.convert], ids=["hans", "taiwan"])
def test_form_a_flattened(lines: list[str], convert) -> None:  # type: ignore[no-untyped-def]
    (table,) = tables_of(convert(in_prose(["统计指标", "单位", "统计数", *lines])))
    assert (table.form, table.flattened) == ("A", True)
    assert values_of(table) == FORM_A_VALUES


def test_any_other_rhythm_is_a_table_without_form() -> None:
    rows = [
        ("制定方案", "个", "3"),
        ("开展检查", "次", "12"),
        ("发放资料", "份", "1500"),
        ("走访企业", "家", "40"),
    ]
    (table,) = tables_of(in_prose([cell for row in rows for cell in row]))
    assert (table.form, table.flattened) == (None, True)
    assert {c.row_label: c.value for c in table.cells if c.state == "number"} == {
        r[0]: float(r[2]) for r in rows
    }


def test_any_other_table_with_tabs() -> None:
    lines = ["单位\t收到\t办结", "某局\t3\t2", "某委\t5\t4", "某办\t0\t0"]
    (table,) = tables_of(in_prose(lines))
    cell = next(c for c in table.cells if c.value == 4)
    assert (cell.row_label, cell.column_label) == ("某委", "办结")


@pytest.mark.parametrize(
    "text",
    [
        PROSE * 5,
        "一、总体情况\n二、主动公开情况\n三、依申请公开情况\n四、行政复议\n五、问题\n",
        "首页\n政务公开\n办事\n互动\n浏览次数：\n123\n打印\n",
        "（一）予以公开9件。\n（二）部分公开2件。\n（三）不予公开1件。\n",
        "收到申请数\n我局高度重视\n12\n",
        "联系人\n13800000000\n" * 6,
        "1\n2\n3\n4\n5\n6\n7\n8\n",
        "2018年3月1日\n2019\n目录\n2020\n索引\n3\n",
        "行政许可\n行政处罚\n行政强制\n办事指南\n",
        "主动公开政府信息863条\n收到申请9件\n",
    ],
)
def test_ordinary_lines_are_no_tables(text: str) -> None:
    assert tables_of(text) == ()


# --- properties -----------------------------------------------------------------------------------

_CONTENT = st.text(alphabet="自然人总计规章信息内容结果维持1230.,/-— \u200b\u3000件%（）\n2年", max_size=8)
_GRIDS = st.lists(
    st.lists(
        st.one_of(_CONTENT, st.tuples(_CONTENT, st.integers(1, 3), st.integers(1, 3))), min_size=1, max_size=5
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(_GRIDS)
def test_any_grid_keeps_its_cells(grid: list[list[str]]) -> None:
    document = grid_document(grid)
    (table, *_) = recognise_tables(document, fold(document.text), paragraphs_of(document.text))
    check_offsets(document.text, table)
    assert [(c.row, c.column, c.row_span, c.column_span) for c in table.cells] == [
        (c.row, c.column, c.row_span, c.column_span) for c in document.tables[0].cells
    ]


_LINES = st.lists(
    st.one_of(
        st.sampled_from(flat_three(ITEMS_C) + flat(TWO_C) + flat(FOUR) + A_LINES["cells"]),
        st.text(alphabet="总计1 \t|件\u200b。/0结果维持（一", max_size=12),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(_LINES, st.sampled_from(["\n", "\n\n", " ", "\t", "\r\n"]))
def test_any_lines_give_offsets_that_select_their_text(lines: list[str], separator: str) -> None:
    tables = tables_of(separator.join(lines))
    assert [t.id for t in tables] == [f"TB{n}" for n in range(1, len(tables) + 1)]
    for a, b in pairwise(tables):
        assert a.end <= b.start


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_without_error(text: str) -> None:
    tables_of(text)


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        "1",
        "1\n",
        "总计\n",
        "总计\n1\n",
        "自然人 ",
        "|",
        "\t",
        "1 2 3\n",
        "a|1|2\n",
        "结果维持\n0\n",
        "甲\n1\n",
        "件\n",
    ],
)
def test_hostile_repetition_stays_linear(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    begin = time.perf_counter()
    tables_of(text)
    assert time.perf_counter() - begin < 5
