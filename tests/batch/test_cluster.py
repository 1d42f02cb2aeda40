"""Runs on a real Ray cluster of several nodes, one of which is killed: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from gongkai.batch import cluster as module
from gongkai.batch.cluster import RayPool
from gongkai.batch.shards import ShardSize
from gongkai.batch.worker import Orders
from gongkai.batch.workspace import FOLDER
from gongkai.errors import BrokenModel, UnusableCluster
from gongkai.export import Format
from gongkai.generate.archive import write_archive
from gongkai.generate.generator import Generator
from gongkai.generate.settings import Kind, load_settings
from gongkai.generate.sources import load_templates
from gongkai.run import RunSummary, load_extractor, run
from handmade import StandIn
from harmful import Planted, slow, unmade
from packing import zip_of

cluster_utils = pytest.importorskip("ray.cluster_utils")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="Ray's nodes are killed by signals"),
]

SMALL = ShardSize(items=3, bytes=1_000_000)
FORMATS = [Format.JSONL, Format.CSV, Format.PARQUET]
NODE = {"num_cpus": 1, "object_store_memory": 80 * 1024 * 1024}
HEALTH = {"health_check_period_ms": 1000, "health_check_failure_threshold": 4}
"""So that a lost node is missed after seconds, not a quarter of a minute."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A cluster of three nodes, whose workers can import what the tests can."""
    # Ray's sockets lie there, and their paths may have no more than 107 bytes.
    short = TemporaryDirectory(prefix="n", dir="/tmp", ignore_cleanup_errors=True)
    with short as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("TMPDIR", folder)
        head = NODE | {"include_dashboard": False, "_system_config": HEALTH}
        cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
        for _ in range(2):
            cluster.add_node(**NODE)
        yield cluster
        cluster.shutdown()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, root: Path) -> list[Path]:
    """Samples, and pages made of them, some of which are there twice."""
    folder = tmp_path_factory.mktemp("generated")
    write_archive(Generator(load_templates(None), 3, load_settings()), folder, 8, kind=Kind.WARC)
    return [root / "samples" / "01_district_2017_prose.txt", folder / "archive"]


@pytest.fixture(scope="module")
def by_rules(reports: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the local engine makes of the reports."""
    out = tmp_path_factory.mktemp("local") / "out"
    run(
        reports,
        out,
        extractor=partial(load_extractor, "rules", None),
        formats=FORMATS,
        workers=1,
        shard=SMALL,
    )
    return result(out)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Some reports in an archive, some in files, some of them twice, one empty, one on which the extractor fails."""
    folder = tmp_path / "in"
    folder.mkdir()
    members = {f"{n}.txt": f"第{n}号：主动公开信息12条。".encode() for n in range(12)}
    (folder / "a.zip").write_bytes(zip_of(members))
    for n in range(6, 40):
        (folder / f"{n:02}.txt").write_text(f"第{n}号：主动公开信息12条。", "utf8")
    (folder / "40.txt").write_bytes(b"")
    (folder / "41.txt").write_text("这一篇会坏。", "utf8")
    return folder


def result(out: Path) -> dict[str, bytes]:
    """All files of a run's results, but for that which holds times."""
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != "run.json")
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def local(path: Path, out: Path, **options: Any) -> dict[str, bytes]:
    """What a run of this machine's processes writes."""
    given = {"extractor": StandIn, "formats": FORMATS, "workers": 1, "shard": SMALL, **options}
    run([path], out, **given)
    return result(out)


def test_records_are_those_of_the_local_engine(
    nodes: Any, reports: list[Path], by_rules: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    extractor = partial(load_extractor, "rules", None)
    on_ray = partial(RayPool, address=nodes.address)
    summary = run(reports, out, extractor=extractor, formats=FORMATS, workers=2, pool=on_ray, shard=SMALL)
    assert summary.documents >= 8
    assert any(name.startswith("facts/year=") for name in by_rules)
    assert result(out) == by_rules


def test_a_node_killed_in_the_middle(nodes: Any, many: Path, tmp_path: Path) -> None:
    made: list[RayPool] = []
    told: list[int] = []

    def pool(orders: Orders, size: int | None, timeout: float) -> RayPool:
        made.append(RayPool(orders, size, timeout, address=nodes.address))
        return made[0]

    def kill_once_all_are_at_work(summary: RunSummary) -> None:
        told.append(summary.done)
        if len(nodes.worker_nodes) == 2 and all(actor.tasks for actor in made[0]._actors):
            nodes.remove_node(min(nodes.worker_nodes, key=id), allow_graceful=False)

    out = tmp_path / "out"
    extractor = slow(0.25)
    summary = run(
        [many], out, extractor=extractor, formats=FORMATS, pool=pool, shard=SMALL, progress=kill_once_all_are_at_work
    )  # fmt: skip
    lost = made[0]._losses.total()
    nodes.add_node(**NODE)
    assert len(nodes.worker_nodes) == 2
    assert lost >= 1  # a shard was at work on the node
    assert told == sorted(set(told))  # each shard once
    assert (summary.documents, summary.done) == (40, summary.planned)
    assert result(out) == local(many, tmp_path / "local")


def test_what_crashes_is_left_out_alone(nodes: Any, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, text in enumerate(["好。", "好些。", "段错误。", "好了。"]):
        (folder / f"{number}.txt").write_text(text, "utf8")
    out = tmp_path / "out"
    on_ray = partial(RayPool, address=nodes.address)
    summary = run([folder], out, extractor=Planted, workers=1, pool=on_ray, formats=FORMATS, shard=SMALL)
    assert (summary.documents, summary.quarantined, summary.errors) == (3, 1, {"Quarantined": 1})
    assert json.loads((out / "quarantine.jsonl").read_bytes())["reason"] == (
        "It ended its process (signal SIGSEGV)."
    )
    assert result(out) == local(folder, tmp_path / "local", extractor=Planted)


SCRIPT = """
import sys
from functools import partial
from pathlib import Path
from gongkai.batch.cluster import RayPool
from gongkai.batch.shards import ShardSize
from gongkai.export import Format
from gongkai.run import run
from harmful import slow
if __name__ == "__main__":
    run([Path(sys.argv[1])], Path(sys.argv[2]), extractor=slow(0.1), shard=ShardSize(3, 1_000_000),
        formats=[Format.JSONL, Format.CSV, Format.PARQUET], pool=partial(RayPool, address=sys.argv[3]))
"""


def test_a_killed_run_is_resumed_here(nodes: Any, many: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    manifest = out / FOLDER / "manifest.jsonl"
    with subprocess.Popen([sys.executable, "-c", SCRIPT, str(many), str(out), nodes.address]) as process:
        while process.poll() is None and not (manifest.exists() and b'"committed"' in manifest.read_bytes()):
            time.sleep(0.01)
        process.kill()
    done = manifest.read_bytes().count(b'"committed"')
    told: list[int] = []
    local(many, out, resume=True, progress=lambda summary: told.append(summary.done))
    assert told[0] >= 3 * done  # what was done is not done again
    assert result(out) == local(many, tmp_path / "local")


def test_the_command_starts_a_cluster_of_its_own(
    reports: list[Path], by_rules: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", "import sys; from gongkai.cli import main; sys.exit(main())", "extract"]
    options = ["--mode", "rules", "--engine", "ray", "--workers", "1", *(f"-f{form}" for form in FORMATS)]
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    ended = subprocess.run(
        [*command, *map(str, reports), "-o", str(out), *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (0, 1)  # the line of the progress bar
    assert result(out) == by_rules


def test_an_extractor_that_cannot_be_made(nodes: Any, many: Path, tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match="damaged") as caught:
        run(
            [many],
            tmp_path / "out",
            extractor=unmade,
            workers=1,
            pool=partial(RayPool, address=nodes.address),
        )
    assert caught.value.where.endswith(": model.onnx")
    assert not (tmp_path / "out").exists()


def test_nodes_with_another_version(
    nodes: Any, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "__version__", "99.0")
    with pytest.raises(UnusableCluster, match="Install the same gongkai on every node"):
        run(
            [many],
            tmp_path / "out",
            extractor=StandIn,
            workers=1,
            pool=partial(RayPool, address=nodes.address),
        )


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("127.0.0.1:1", "Connection refused"),
        ("nowhere", "no HOST:PORT"),
        ("ray://127.0.0.1:1", "no HOST:PORT"),
    ],
)
def test_addresses_at_which_nobody_answers(address: str, says: str, many: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusableCluster, match=f"No cluster answers: .*{says}"):
        run([many], tmp_path / "out", extractor=StandIn, pool=partial(RayPool, address=address))
    assert not (tmp_path / "out").exists()


def test_without_ray(many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UnusableCluster, match=r"pip install 'gongkai\[cluster\]'"):
        run([many], tmp_path / "out", extractor=StandIn, pool=RayPool)


def test_an_address_is_for_ray_only(many: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from gongkai.cli import app

    ended = CliRunner().invoke(app, ["extract", str(many), "-o", str(tmp_path / "out"), "--address", "a:1"])
    assert ended.exit_code == 2
    assert "--engine ray" in ended.output
