"""From rows to metrics: which standard form a table is, and what each of its numbers counts.

Where a row's numbers do not fit the form's columns, the cells keep their row label and nothing is guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from gongkai.structure.cells import DraftCell, Row
from gongkai.structure.forms import Form, FormIndex, FormRow, form_indexes, label_key

_LEAST_ROWS = 3
_LEAST_RESULTS = 4

# --- which form -----------------------------------------------------------------------------------


def recognise_form(rows: Iterable[Row], headers: Iterable[str]) -> str | None:
    """The form to which most labels bear witness; None if too few do.

    Args:
        rows: Those with values count.
        headers: Keys of the header cells.
    """
    keys, headers = value_keys(rows), frozenset(headers)
    witnesses = {name: count_witnesses(index, keys, headers) for name, index in form_indexes().items()}
    best = max(witnesses, key=witnesses.__getitem__)
    return best if witnesses[best] else None


def value_keys(rows: Iterable[Row]) -> frozenset[str]:
    """Keys of the labels of rows with values; the key of a row without label is empty."""
    return frozenset(row.key for row in rows if row.has_value)


def count_witnesses(index: FormIndex, keys: frozenset[str], headers: frozenset[str]) -> int:
    """How many keys of rows and of headers are the form's; 0 if they are too few to tell."""
    layout = index.form.layout
    if layout == "columns":
        results = len(headers & index.headers)
        contested = any("复议" in key or "诉讼" in key or "起诉" in key for key in headers)
        return results if results >= _LEAST_RESULTS and contested else 0
    rows = sum(bool(index.find_rows(key)) for key in keys)
    columns = len(headers & index.columns)
    if layout == "blocks":
        return rows + 2 * columns if rows and columns else 0
    return rows + columns if rows >= _LEAST_ROWS else 0


def settle_form(form: str, rows: Sequence[Row], early: bool | None) -> str:
    """The generation of a recognised form: tables three and four read alike in B and C.

    Rows that one form alone has decide (其他处理 is a row of numbers in B, a heading in C), else the report's
    year. A row of the other form has then lost its own label: it loses its metric.

    Args:
        early: Whether the report is of B's years; None if that is unknown.
    """
    index = form_indexes()[form]
    other = index.form.also
    if other is None:
        return form
    owners = _rows_of_one_form(index, rows)
    if form not in owners:
        return other if early or (early is None and other in owners) else form
    for row in owners.get(other, ()):
        for value in row.values:
            value.metric_id = None
    return form


def _rows_of_one_form(index: FormIndex, rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Form → the rows with values that it alone has."""
    owners: dict[str, list[Row]] = {}
    for row in rows:
        if not row.has_value or row.key in index.headers:
            continue
        for number in index.find_rows(row.key):
            if (only := index.form.rows[number].only) is not None:
                owners.setdefault(only, []).append(row)
    return owners


# --- which metric ---------------------------------------------------------------------------------


def assign_metrics(form: str, rows: Sequence[Row]) -> None:
    """Set metric, category and column label of the values of a recognised form's rows."""
    index = form_indexes()[form]
    layout = index.form.layout
    if layout == "columns":
        _assign_columns(index.form, rows)
        return
    begin = _usual_begin(rows, len(index.form.columns))
    for row, template in _with_templates(index, rows):
        if layout == "list":
            _assign_single(template, row)
        elif layout == "matrix":
            _assign_matrix(index.form, template, row, begin)
        else:
            _assign_block(template, row)


def _with_templates(index: FormIndex, rows: Sequence[Row]) -> Iterator[tuple[Row, FormRow]]:
    """Rows that are the form's; a label that stands twice in a form (被依法纠错数) is the one that comes next."""
    last = -1
    for row in rows:
        candidates = index.find_rows(row.key)
        if not candidates:
            continue
        last = next((number for number in candidates if number > last), candidates[0])
        yield row, index.form.rows[last]


def _assign_single(template: FormRow, row: Row) -> None:
    filled = [value for value in row.values if value.state != "empty"] or row.values
    if len(filled) == 1:
        filled[0].metric_id = template.metric


def _assign_matrix(form: Form, template: FormRow, row: Row, begin: int | None) -> None:
    fitted = _fit(row.values, len(form.columns), begin)
    for value in fitted or row.values:
        value.metric_id = template.metric
    for column, value in zip(form.columns, fitted, strict=False):
        value.category = column.category
        value.column_label = column.path


def _assign_block(template: FormRow, row: Row) -> None:
    fitted = _fit(row.values, len(template.columns), None)
    for label, metric, value in zip(template.columns, template.metrics, fitted, strict=False):
        value.metric_id = metric
        value.column_label = value.column_label or label


def _assign_columns(form: Form, rows: Sequence[Row]) -> None:
    """One row of all columns, or a row for each group of columns, or by the headers over a value."""
    filled = [row for row in rows if row.has_value]
    groups = {column.group for column in form.columns}
    share = len(form.columns) // len(groups)
    if len(filled) == len(groups) and all(len(row.values) == share for row in filled):
        filled = [Row(values=[value for row in filled for value in row.values])]
    for row in filled:
        fitted = _fit(row.values, len(form.columns), None)
        for column, value in zip(form.columns, fitted, strict=False):
            value.metric_id = column.metric
            value.column_label = column.path
        if not fitted:
            for value in row.values:
                _assign_by_headers(form, value)


def _assign_by_headers(form: Form, value: DraftCell) -> None:
    """The one column whose label and innermost group both stand over the value."""
    keys = [label_key(part) for part in (value.column_label or "").split(" / ")]
    found = [
        column
        for column in form.columns
        if keys[-1] in map(label_key, column.labels) and label_key(column.groups[-1]) in keys
    ]
    if len(found) == 1:
        value.metric_id = found[0].metric


def _usual_begin(rows: Sequence[Row], count: int) -> int | None:
    """The column in which most rows with the form's number of values begin them."""
    begins = Counter(row.values[0].column for row in rows if count and len(row.values) == count)
    return begins.most_common(1)[0][0] if begins else None


def _fit(values: Sequence[DraftCell], count: int, begin: int | None) -> list[DraftCell]:
    """One value for each of the form's columns, if their number fits or empty cells alone are over; else none."""
    fitted = list(values)
    if begin is not None and len(fitted) > count:
        fitted = [value for value in fitted if value.column >= begin or value.state != "empty"]
    while len(fitted) > count and fitted[-1].state == "empty":
        fitted.pop()
    while len(fitted) > count and fitted[0].state == "empty":
        fitted.pop(0)
    return fitted if len(fitted) == count else []
