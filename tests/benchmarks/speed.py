"""How cost grows with length, and how much memory a large folder takes, by rules; speed: `gongkai evaluate speed`.

    python tests/benchmarks/speed.py curve             one document of 0.1 to 5 million characters
    python tests/benchmarks/speed.py folder            10,000 files: rate and peak memory of `gongkai extract`

Texts come from FOLDER, else from the samples. Every timed run checks its result: the same text repeated must
give the same entities each time.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gongkai.ingest import discover, read, read_text
from gongkai.pipeline import Extractor
from gongkai.types import Document

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
LENGTHS = (100_000, 300_000, 1_000_000, 3_000_000, 5_000_000)
FILES = 10_000
CONSOLE = Console()


def texts(folder: Path) -> list[str]:
    """The texts of every readable document of a folder."""
    documents = (item for path in discover([folder]) for item in read(path))
    return [item.text for item in documents if isinstance(item, Document)]


def curve(folder: Path) -> None:
    """Cost against the length of one document: linear if the last column stays level."""
    extractor = Extractor("rules")
    unit = "\n".join(texts(folder)) + "\n"
    extractor.extract(read_text(unit))
    table = Table("characters", "seconds", "characters a second", "entities", "peak MB")
    for length in LENGTHS:
        document = read_text((unit * (length // len(unit) + 1))[:length])
        start = time.process_time()
        record = extractor.extract(document)
        seconds = time.process_time() - start
        assert all(e.text == document.text[e.start : e.end] for e in record.entities)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        table.add_row(
            f"{length:,}",
            f"{seconds:.1f}",
            f"{length / seconds:,.0f}",
            f"{len(record.entities):,}",
            f"{peak:,.0f}",
        )
    CONSOLE.print(table)


def folder_of_files(source: Path) -> None:
    """`gongkai extract` on 10,000 files: rate and peak memory of the process."""
    originals = texts(source)
    with tempfile.TemporaryDirectory() as temporary:
        archive = Path(temporary) / "archive"
        for number in range(FILES):
            path = archive / f"{number // 100:03}" / f"{number:05}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{originals[number % len(originals)]}\n{number}\n", "utf8")
        characters = sum(len(originals[number % len(originals)]) for number in range(FILES))
        gongkai = str(Path(sys.executable).with_name("gongkai"))
        command = [gongkai, "extract", str(archive), "-o", str(Path(temporary) / "out"), "--mode", "rules"]
        start = time.perf_counter()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        written = sum(1 for _ in (Path(temporary) / "out" / "documents.jsonl").open("rb"))
        assert written == FILES, f"{written} of {FILES} documents"
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    CONSOLE.print(
        f"{FILES:,} files, {characters:,} characters: {seconds:.0f} s, "
        f"{characters / seconds:,.0f} characters a second with start-up, peak memory {peak:,.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("curve", "folder"))
    parser.add_argument("folder", nargs="?", type=Path, default=SAMPLES)
    options = parser.parse_args()
    {"curve": curve, "folder": folder_of_files}[options.what](options.folder)


if __name__ == "__main__":
    main()
