"""Bytes to characters, whatever the page declares.

A declaration is a hint that is checked: strict decoding rules encodings out, and among those that remain
the one whose characters look most like Chinese text is taken. GB18030 decodes nearly any pairs of bytes, so
that Big5 read as GB18030 is no error but rare characters; that is what `plausibility` measures.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import charset_normalizer
import msgspec

from gongkai.errors import BinaryInput
from gongkai.resources import load_yaml

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CANDIDATES = ("gb18030", "big5hkscs", "cp950", "utf-16-le", "utf-16-be")
_LENIENT = ("utf-8", "gb18030", "big5hkscs")
_SAMPLE = 20_000
_DECLARED_BONUS = 0.1
_PLAUSIBLE = 0.35
_BAD_SHARE = 0.02
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_SHARE = 0.02
_REMEDY = "Save it as UTF-8 text, HTML, PDF or DOCX and read that."


class Encodings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`configs/encodings.yaml`: what declarations mean, and what Chinese text looks like."""

    aliases: dict[str, str]
    frequent: str


class Decoded(msgspec.Struct, frozen=True):
    """Text without its byte order mark, and the encoding it was read in."""

    text: str
    encoding: str


def decode(data: bytes, where: str, declared: str | None = None) -> Decoded:
    """Decode `data`; a byte order mark is taken for what it is and left out of the text.

    Order: byte order mark; UTF-8 if all of it is valid; else the most plausible of the declared encoding,
    GB18030, Big5 and UTF-16 that decodes strictly; else the one that decodes all but a few bytes, which
    become U+FFFD (at most 2 % of the characters); else what charset-normalizer finds.

    Raises:
        BinaryInput: No encoding gives text.
    """
    marked = _by_mark(data)
    if marked:
        return _checked(marked, where)
    if b"\0" not in data:
        try:
            return _checked(Decoded(data.decode("utf-8"), "utf-8"), where)
        except UnicodeDecodeError:
            pass
    best = _best(list(_strict(data, declared)), _canonical(declared))
    found = best or _lenient(data) or _detected(data)
    if found is None:
        raise BinaryInput(where, "The bytes are not text in any known encoding.", _REMEDY)
    return _checked(found, where)


def plausibility(text: str) -> float:
    """How much `text` looks like Chinese: mean weight of a sample of its characters beyond ASCII.

    Frequent characters weigh 2, the first levels of GB 2312 and Big5 and Chinese punctuation 1, other Han
    0, and what a wrong encoding typically yields (private use, kana, Hangul, Cyrillic, accents) -1. Text
    with nothing but ASCII is 0.5.
    """
    weights = _weights()
    counts = Counter(character for character in text[: _SAMPLE * 4] if character > "\x7f")
    total = counts.total()
    if total == 0:
        return 0.5
    return sum(_weight(character, weights) * count for character, count in counts.items()) / total


def _weight(character: str, weights: dict[str, float]) -> float:
    known = weights.get(character)
    if known is not None:
        return known
    return 0.0 if "\u3400" <= character <= "\u9fff" or character >= "\U00020000" else -1.0


@cache
def _config() -> Encodings:
    return load_yaml("encodings.yaml", Encodings)


@cache
def _weights() -> dict[str, float]:
    """Weight of each common character. The two standards sort their first levels by frequency of use."""
    levels = "".join(_level("gb2312", 0xB0, 0xD7, 0xA1)) + "".join(_level("big5", 0xA4, 0xC6, 0x40))
    punctuation = "".join(chr(code) for code in (*range(0x3000, 0x3020), *range(0xFF01, 0xFF5F)))
    punctuation += "“”‘’—…·－《》\xa0"
    table = dict.fromkeys(levels + punctuation, 1.0)
    return table | dict.fromkeys(_config().frequent, 2.0)


def _level(encoding: str, first: int, last: int, trail: int) -> Iterator[str]:
    for lead in range(first, last + 1):
        for second in range(trail, 0xFF):
            try:
                yield bytes((lead, second)).decode(encoding)
            except UnicodeDecodeError:
                continue


def _canonical(declared: str | None) -> str | None:
    if not declared:
        return None
    name = declared.strip().strip("\"'").lower()
    name = _config().aliases.get(name, name)
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def _by_mark(data: bytes) -> Decoded | None:
    for mark, encoding in _BOMS:
        if not data.startswith(mark):
            continue
        body = data[len(mark) :]
        if encoding != "utf-8" and len(body) % 2:
            body = body[:-1]
        try:
            return Decoded(body.decode(encoding), encoding)
        except UnicodeDecodeError:
            lenient = body.decode(encoding, errors="replace")
            return Decoded(lenient, encoding) if _few_bad(lenient) else None
    return None


def _strict(data: bytes, declared: str | None) -> Iterator[Decoded]:
    names = dict.fromkeys([_canonical(declared), *_CANDIDATES])
    for name in names:
        # A NUL byte is text in UTF-16 alone; an odd number of bytes is never UTF-16.
        wide = name is not None and name.startswith("utf-16")
        if name is None or (b"\0" in data and not wide) or (wide and len(data) % 2):
            continue
        try:
            yield Decoded(data.decode(name), name)
        except (UnicodeDecodeError, LookupError):
            continue


def _best(candidates: list[Decoded], declared: str | None) -> Decoded | None:
    """The most plausible, if it is plausible at all."""
    scored = [
        (_score(found.text) + (_DECLARED_BONUS if found.encoding == declared else 0.0), -rank, found)
        for rank, found in enumerate(candidates)
    ]
    if not scored:
        return None
    score, _, found = max(scored, key=lambda item: item[:2])
    return found if score >= _PLAUSIBLE else None


def _score(text: str) -> float:
    """Plausibility, less what control characters say against it."""
    sample = text[: _SAMPLE * 4]
    controls = len(_CONTROLS.findall(sample)) / max(len(sample), 1)
    return plausibility(sample) - 10 * controls


def _few_bad(text: str) -> bool:
    return text.count("\ufffd") <= max(1, _BAD_SHARE * len(text))


def _lenient(data: bytes) -> Decoded | None:
    """The encoding in which all but a few bytes are sound."""
    candidates = [Decoded(data.decode(name, errors="replace"), name) for name in _LENIENT]
    sound = [found for found in candidates if _few_bad(found.text)]
    return _best(sorted(sound, key=lambda found: found.text.count("\ufffd")), None)


def _detected(data: bytes) -> Decoded | None:
    if b"\0" in data:
        return None
    guess = charset_normalizer.from_bytes(data[: _SAMPLE * 10]).best()
    if guess is None:
        return None
    try:
        return Decoded(data.decode(guess.encoding), guess.encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _checked(found: Decoded, where: str) -> Decoded:
    controls = len(_CONTROLS.findall(found.text))
    if controls > 1 and controls > _CONTROL_SHARE * len(found.text):
        raise BinaryInput(where, f"{controls} control characters: the bytes are not text.", _REMEDY)
    return found
