"""PDF: the text layer, with the page's hard line wraps joined again."""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from collections.abc import Iterator

import pypdf
from pypdf.errors import DependencyError, FileNotDecryptedError

from gongkai.errors import DamagedInput, EncryptedInput, NoTextLayer
from gongkai.ingest.content import Content
from gongkai.text import fold

MEDIA_TYPE = "application/pdf"

# pypdf reports every oddity of a file through logging; without a handler they would reach stderr.
logging.getLogger("pypdf").addHandler(logging.NullHandler())

_FULL = 0.92
_FEWEST_FULL = 3
_NARROWEST = 24
_FEWEST_FIELDS = 4  # a line of more words than this, in Chinese, is a row of a table
_ENDS = re.compile(r"[。!?;:…][”’」』)\]】]?$|[!?;:。]$")
_STARTS = re.compile(
    r"\s|[一二三四五六七八九十百]{1,4}[、.]|\([一二三四五六七八九十百\d]{1,4}\)|\d{1,3}[.、](?!\d)|[①-⑳]"
    r"|第[一二三四五六七八九十百\d]{1,5}[章节条部]|附件?[:\d一二三四五六七八九十]|表\s?\d|注:"
)
_PAGE_NUMBER = re.compile(
    r"-\s*\d{1,4}\s*-|第\s*\d{1,4}\s*页(?:[,/\s]*共\s*\d{1,4}\s*页)?|\d{1,4}\s*/\s*\d{1,4}"
)
_RADICALS = re.compile(r"[\u2e80-\u2fdf]")
_DROPPED = dict.fromkeys(map(ord, "\0\x0b\x0c\r\ufeff"), None)


def read_pdf(data: bytes, where: str) -> Content:
    """Text of all pages, joined; page numbers at the edges of pages left out.

    A file that an empty password opens is read. A line that fills its page's width, does not end a
    sentence, and is not followed by a numbered or indented line, is joined with the next one: there the
    page was wrapped, not the text. Radicals that fonts print for characters (⼀ for 一) are put right.

    Raises:
        EncryptedInput: It asks for a password.
        NoTextLayer: No page has characters: a scan.
        DamagedInput: Truncated or broken.
    """
    try:
        pages = _pages(data, where)
    except (EncryptedInput, DamagedInput):
        raise
    except FileNotDecryptedError as error:
        raise _encrypted(where) from error
    except DependencyError as error:
        problem = "The PDF is encrypted with AES, which needs the package cryptography."
        raise EncryptedInput(where, problem, "Install it: pip install cryptography.") from error
    # pypdf lets through whatever a broken object made it raise.
    except Exception as error:
        problem = f"The PDF is broken or truncated ({type(error).__name__})."
        raise DamagedInput(where, problem, "Fetch it again.") from error
    if not any(line.strip() for page in pages for line in page):
        raise NoTextLayer(where, "No page has a text layer (a scan?).", "Run OCR on it first.")
    return Content(text="\n".join(_joined(pages)), media_type=MEDIA_TYPE)


def _encrypted(where: str) -> EncryptedInput:
    return EncryptedInput(where, "The PDF asks for a password.", "Save a copy without one.")


def _pages(data: bytes, where: str) -> list[list[str]]:
    reader = pypdf.PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise _encrypted(where)
    if not reader.pages:
        raise DamagedInput(where, "The PDF has no page.", "Fetch it again.")
    return [_lines(page.extract_text(), number) for number, page in enumerate(reader.pages, start=1)]


def _lines(text: str, number: int) -> list[str]:
    clean = _RADICALS.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text.replace("\f", "\n"))
    lines = [line.rstrip() for line in clean.translate(_DROPPED).split("\n")]
    lines = [line for line in lines if line]
    for edge in (0, -1):
        if lines and _is_page_number(lines[edge], number):
            lines.pop(edge)
    return lines


def _is_page_number(line: str, number: int) -> bool:
    view = re.sub(r"-+", "-", fold(line).strip())
    return view == str(number) or _PAGE_NUMBER.fullmatch(view) is not None


def _width(line: str) -> int:
    """Columns of a line in a fixed-width font: wide characters count two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in line)


def _joined(pages: list[list[str]]) -> Iterator[str]:
    lines = [line for page in pages for line in page]
    full = _full_width(lines)
    pending = ""
    last = ""
    for line in lines:
        if not pending:
            pending = line
        elif full is not None and _wraps(last, line, full):
            pending = _glue(pending, line)
        else:
            yield pending.strip()
            pending = line
        last = line
    if pending:
        yield pending.strip()


def _full_width(lines: list[str]) -> int | None:
    """Width of the lines that the page wrapped: that which the widest lines share; None where none do."""
    widths = sorted(map(_width, lines), reverse=True)
    for index in range(len(widths) - _FEWEST_FULL + 1):
        widest = widths[index]
        if widest < _NARROWEST:
            return None
        if widths[index + _FEWEST_FULL - 1] >= _FULL * widest:
            return widest
    return None


def _wraps(line: str, following: str, full: int) -> bool:
    if _width(line) < _FULL * full or _width(line) > full:
        return False
    if len(line.split()) > _FEWEST_FIELDS:
        return False
    return _ENDS.search(fold(line)) is None and _STARTS.match(fold(following)) is None


def _glue(line: str, following: str) -> str:
    if re.search(r"[A-Za-z]-$", line) and re.match(r"[a-z]", following):
        return line[:-1] + following
    return (
        f"{line} {following}" if re.fullmatch(r"[A-Za-z]{2}", line[-1:] + following[:1]) else line + following
    )
