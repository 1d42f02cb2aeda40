"""Which documents to annotate next: those of which the program is least sure, unlike each other and the gold.

For a document that the extractors X1…Xn have read,

    value      = (low + bare + unnamed + apart) / 4
    low        = share of its entities and relations scored below 0.9
    bare       = share of its numbers (COUNT, PERCENT) without METRIC
    unnamed    = share of its facts without metric_id
    apart      = 1 - F1 of two extractors' spans and relations, strict, mean over the pairs; 0 with one

where low, bare and unnamed are means over the extractors, and every share k/n is taken as k/(n + 5), so that
a document with a single number is not the least sure of all. How unlike two documents are is

    distance   = (B + H) / 2, half of it where both have the same issuer
    B          = Hellinger distance of their character bigrams (in 1,024 buckets)
    H          = half the L1 distance between the shares of their labels and relations

and the next document chosen is the one of the largest value x distance to the nearest that is chosen already
or is gold (1 where there is none): farthest first, weighted. A near duplicate of one of those is never
chosen: a document of whose character 5-grams 0.8 are common to both (Jaccard, estimated by MinHash in 128
bins). Texts are compared folded, with digits all alike and without white space.

Memory is bounded: while the folder is read, only the best candidates are kept (50 for each document wanted,
of one issuer no more than are wanted, of near duplicates one), by value x distance to the gold, as profiles
of some 6 kB without their texts; the texts of the chosen are read again in the end. The order of the files
decides between equals, so that the same folder gives the same choice.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from gongkai.errors import GongkaiError
from gongkai.gold.records import GoldRecord, from_record, text_sha256
from gongkai.ingest import discover, read
from gongkai.text import fold
from gongkai.types import SCHEMA_VERSION, Document, EntityLabel, Record, RelationLabel

from .agreement import Counts, keys

Extract = Callable[[Document], Record]
LOW = 0.9
"""An entity or relation scored below is one that the program is not sure of."""
PRIOR = 5
"""Added to the number that a share is of."""
NEAR_DUPLICATE = 0.8
"""Similarity (Jaccard, of character 5-grams) from which two documents count as one."""
CANDIDATES = 50
"""Candidates kept for each document wanted."""

_GRAM = 5
_BINS = 128
_BUCKETS = 1024
_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
_KINDS: tuple[str, ...] = (*EntityLabel.__args__, *RelationLabel.__args__)  # type: ignore[attr-defined]


class SampledRecord(GoldRecord, frozen=True, kw_only=True):
    """A chosen document with its pre-annotations; `meta.sample` says why. `schema` marks it as predicted."""

    schema: int = SCHEMA_VERSION


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of a document's value; see the module's text."""

    low: float
    bare: float
    unnamed: float
    apart: float

    @property
    def value(self) -> float:
        return (self.low + self.bare + self.unnamed + self.apart) / 4


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """What tells documents apart.

    Attributes:
        hashes: MinHash of the text's 5-grams.
        bigrams: Square roots of the shares of its bigrams in each bucket.
        shares: Shares of labels and relations.
    """

    hashes: NDArray[np.uint64]
    bigrams: NDArray[np.float32]
    shares: NDArray[np.float64]
    issuer: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A document that may be chosen, and where to read it again: file, and number within it."""

    id: str
    path: Path
    number: int
    sha256: str
    shares: Shares
    profile: Profile
    order: int


@dataclass
class Sample:
    """What was chosen, best first, and what was not."""

    records: list[SampledRecord] = field(default_factory=list)
    read: int = 0
    near_gold: int = 0
    near_others: int = 0
    unread: list[str] = field(default_factory=list)


def sample(
    paths: Iterable[Path], count: int, extractors: Sequence[Extract], gold: Iterable[GoldRecord] = ()
) -> Sample:
    """Choose documents from files and folders by the formula above.

    Args:
        extractors: What reads the documents, the first of them pre-annotates the chosen.
        gold: What is annotated already; unlike this should the next ones be.
    """
    result = Sample()
    known = _Profiles()
    for record in gold:
        known.add(profile(record))
    pool = _Pool(count)
    for candidate in _candidates(paths, extractors, result):
        similarity = known.similarity(candidate.profile)
        if similarity.size and similarity.max() >= NEAR_DUPLICATE:
            result.near_gold += 1
            continue
        nearest = known.distance(candidate.profile)
        pool.offer(candidate, candidate.shares.value * nearest, nearest)
    result.near_others = pool.near_duplicates
    chosen = list(_farthest_first(pool.kept(), count))
    result.records = list(_read_again(chosen, extractors[0], result))
    return result


def shares(records: Sequence[Record]) -> Shares:
    """The terms of the value of one document, read by every extractor."""
    pairs = [_apart(one, other) for one, other in combinations(map(from_record, records), 2)]
    return Shares(
        low=_mean(_low(record) for record in records),
        bare=_mean(_bare(record) for record in records),
        unnamed=_mean(_unnamed(record) for record in records),
        apart=_mean(pairs),
    )


def profile(record: GoldRecord) -> Profile:
    """The profile of an annotated document."""
    counts = Counter([*(e.label for e in record.entities), *(r.label for r in record.relations)])
    histogram = np.array([counts[kind] for kind in _KINDS], dtype=np.float64)
    issuer = record.meta.get("issuer")
    codes = compared(record.text)
    return Profile(
        hashes=minhash(codes),
        bigrams=bigrams(codes),
        shares=histogram / max(histogram.sum(), 1.0),
        issuer=fold(str(issuer)) if issuer else None,
    )


def compared(text: str) -> NDArray[np.uint64]:
    """The code points by which texts are compared.

    Traditional and Simplified, full and half width, and all digits are alike; white space is left out.
    """
    view = "".join(fold(text).split())
    codes = np.frombuffer(view.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    codes[(codes > ord("0")) & (codes <= ord("9"))] = ord("0")
    return codes


def minhash(codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Least hash of the 5-grams in each of 128 bins; where a bin is empty, the largest number."""
    least = np.full(_BINS, _EMPTY, dtype=np.uint64)
    hashes = _hashes(codes, _GRAM)
    np.minimum.at(least, (hashes % np.uint64(_BINS)).astype(np.intp), hashes)
    return least


def bigrams(codes: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Square root of the share of each bucket's bigrams."""
    buckets = (_hashes(codes, 2) % np.uint64(_BUCKETS)).astype(np.intp)
    counts = np.bincount(buckets, minlength=_BUCKETS)
    return np.sqrt(counts / max(len(buckets), 1)).astype(np.float32)


def _hashes(codes: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """A hash of every n-gram."""
    grams: NDArray[np.uint64] = np.zeros(max(len(codes) - length + 1, 0), dtype=np.uint64)
    for place in range(length):
        grams = grams * np.uint64(0x100000001B3) + codes[place : place + len(grams)]
    return _scrambled(grams)


def _scrambled(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of MurmurHash3: neighbouring values become independent."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return math.fsum(listed) / len(listed) if listed else 0.0


def _share(some: int, of: int) -> float:
    return some / (of + PRIOR)


def _low(record: Record) -> float:
    scores = [*(e.score for e in record.entities), *(r.score for r in record.relations)]
    return _share(sum(score < LOW for score in scores), len(scores))


def _bare(record: Record) -> float:
    numbers = {e.id for e in record.entities if e.label in ("COUNT", "PERCENT")}
    return _share(len(numbers - {r.head for r in record.relations if r.label == "value_of"}), len(numbers))


def _unnamed(record: Record) -> float:
    return _share(sum(fact.metric_id is None for fact in record.facts), len(record.facts))


def _apart(one: GoldRecord, other: GoldRecord) -> float:
    counts = Counts()
    counts.add(keys(one), keys(other))
    f1 = counts.f1(*counts.labels)
    return 0.0 if f1 is None else 1 - f1


def _candidates(paths: Iterable[Path], extractors: Sequence[Extract], result: Sample) -> Iterator[Candidate]:
    for path in discover(paths):
        for number, document in enumerate(read(path)):
            if isinstance(document, GongkaiError):
                result.unread.append(str(document))
                continue
            records = [extract(document) for extract in extractors]
            yield Candidate(
                id=document.id,
                path=path,
                number=number,
                sha256=text_sha256(document.text),
                shares=shares(records),
                profile=profile(from_record(records[0])),
                order=result.read,
            )
            result.read += 1


class _Profiles:
    """Profiles side by side, to compare one with all at once."""

    def __init__(self) -> None:
        self._hashes: NDArray[np.uint64] = np.empty((16, _BINS), dtype=np.uint64)
        self._bigrams: NDArray[np.float32] = np.empty((16, _BUCKETS), dtype=np.float32)
        self._shares: NDArray[np.float64] = np.empty((16, len(_KINDS)), dtype=np.float64)
        self._issuers: list[str | None] = []

    def add(self, item: Profile) -> None:
        if len(self._issuers) == len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.empty_like(self._hashes)])
            self._bigrams = np.concatenate([self._bigrams, np.empty_like(self._bigrams)])
            self._shares = np.concatenate([self._shares, np.empty_like(self._shares)])
        self._issuers.append(None)
        self.put(len(self._issuers) - 1, item)

    def put(self, place: int, item: Profile) -> None:
        self._hashes[place], self._bigrams[place] = item.hashes, item.bigrams
        self._shares[place], self._issuers[place] = item.shares, item.issuer

    def similarity(self, item: Profile) -> NDArray[np.float64]:
        """Jaccard similarity to each."""
        hashes = self._hashes[: len(self._issuers)]
        filled = (hashes != _EMPTY) | (item.hashes != _EMPTY)
        same = ((hashes == item.hashes) & filled).sum(axis=1)
        return np.asarray(same / np.maximum(filled.sum(axis=1), 1), dtype=np.float64)

    def distance(self, item: Profile) -> float:
        """Distance to the nearest; 1 where there is none."""
        if not self._issuers:
            return 1.0
        count = len(self._issuers)
        overlap = self._bigrams[:count] @ item.bigrams
        hellinger = np.sqrt(np.maximum(1 - overlap.astype(np.float64), 0))
        apart = np.abs(self._shares[:count] - item.shares).sum(axis=1) / 2
        distances = (hellinger + apart) / 2
        if item.issuer is not None:
            distances *= np.where([issuer == item.issuer for issuer in self._issuers], 0.5, 1.0)
        return float(distances.min())


class _Pool:
    """The best candidates so far, of near duplicates the better, of one issuer no more than are wanted."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._profiles = _Profiles()
        self._entries: list[tuple[float, int, Candidate, float]] = []
        self.near_duplicates = 0

    def kept(self) -> list[tuple[Candidate, float]]:
        """Candidates with their distance to the gold, in the order of reading."""
        return [(entry[2], entry[3]) for entry in sorted(self._entries, key=lambda entry: -entry[1])]

    def offer(self, candidate: Candidate, worth: float, nearest: float) -> None:
        entry = (worth, -candidate.order, candidate, nearest)
        place = self._rival(candidate)
        if place is None:
            self._entries.append(entry)
            self._profiles.add(candidate.profile)
        elif entry[:2] > self._entries[place][:2]:
            self._entries[place] = entry
            self._profiles.put(place, candidate.profile)

    def _rival(self, candidate: Candidate) -> int | None:
        """Whose place the candidate would have to take: its near duplicate's, else the worst one's."""
        similarity = self._profiles.similarity(candidate.profile)
        if similarity.size and similarity.max() >= NEAR_DUPLICATE:
            self.near_duplicates += 1
            return int(similarity.argmax())
        issuer = candidate.profile.issuer
        if issuer is not None:
            same = [n for n, entry in enumerate(self._entries) if entry[2].profile.issuer == issuer]
            if len(same) >= self._count:
                return self._worst(same)
        if len(self._entries) >= CANDIDATES * self._count:
            return self._worst(range(len(self._entries)))
        return None

    def _worst(self, places: Iterable[int]) -> int:
        return min(places, key=lambda place: self._entries[place][:2])


def _farthest_first(
    candidates: Sequence[tuple[Candidate, float]], count: int
) -> Iterator[tuple[Candidate, float]]:
    """Candidates with their distance at the time they were chosen."""
    left = list(candidates)
    for _ in range(min(count, len(left))):
        best = max(left, key=lambda pair: (pair[0].shares.value * pair[1], pair[1], -pair[0].order))
        yield best
        newest = _Profiles()
        newest.add(best[0].profile)
        left = [
            (candidate, min(nearest, newest.distance(candidate.profile)))
            for candidate, nearest in left
            if candidate is not best[0] and newest.similarity(candidate.profile)[0] < NEAR_DUPLICATE
        ]


def _read_again(
    chosen: Sequence[tuple[Candidate, float]], extract: Extract, result: Sample
) -> Iterator[SampledRecord]:
    documents = _documents([candidate for candidate, _ in chosen])
    for rank, (candidate, nearest) in enumerate(chosen, start=1):
        document = documents.get((candidate.path, candidate.number))
        if document is None or text_sha256(document.text) != candidate.sha256:
            result.unread.append(
                f"{candidate.path}: It changed while the folder was being read. Run it again."
            )
            continue
        yield _sampled(from_record(extract(document)), candidate, nearest, rank)


def _documents(chosen: Iterable[Candidate]) -> dict[tuple[Path, int], Document]:
    """The chosen documents, every file read once and no further than needed."""
    wanted: defaultdict[Path, set[int]] = defaultdict(set)
    for candidate in chosen:
        wanted[candidate.path].add(candidate.number)
    found: dict[tuple[Path, int], Document] = {}
    for path, numbers in wanted.items():
        for number, document in enumerate(islice(read(path), max(numbers) + 1)):
            if number in numbers and isinstance(document, Document):
                found[path, number] = document
    return found


def _sampled(record: GoldRecord, candidate: Candidate, nearest: float, rank: int) -> SampledRecord:
    terms = candidate.shares
    why = {
        "rank": rank,
        "value": round(terms.value, 4),
        "distance": round(nearest, 4),
        "low": round(terms.low, 4),
        "bare": round(terms.bare, 4),
        "unnamed": round(terms.unnamed, 4),
        "apart": round(terms.apart, 4),
        "path": str(candidate.path),
    }
    return SampledRecord(
        id=record.id,
        text=record.text,
        entities=record.entities,
        relations=record.relations,
        meta={**record.meta, "sample": why},
    )
