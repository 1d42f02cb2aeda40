"""How fast a system is, measured the same way for all: each in a fresh process, on the same texts and cores.

    result = measure("gongkai:rules", texts, Settings(threads=2))
    report = side_by_side(["gongkai:rules", *ALTERNATIVES], texts)

`gongkai.evaluate.speed.show` makes tables of it.
"""

from gongkai.evaluate.speed.benchmark import DEFAULTS, measure, read_texts, side_by_side
from gongkai.evaluate.speed.results import Settings, SpeedReport, SpeedResult
from gongkai.evaluate.speed.systems import ALTERNATIVES, PROCESSES

__all__ = [
    "ALTERNATIVES",
    "DEFAULTS",
    "PROCESSES",
    "Settings",
    "SpeedReport",
    "SpeedResult",
    "measure",
    "read_texts",
    "side_by_side",
]
