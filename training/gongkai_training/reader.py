"""A trained model read by torch, as it is: for large ones, on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from gongkai.model.runtime import Graph, JointReader

from .artifacts import load_model
from .devices import device_of
from .graphs import RelationGraph, SpanGraph, describe


class TorchReader(JointReader):
    """Reads documents with a trained model that was not exported, and finds in them what the exported one finds."""

    @classmethod
    def load(cls, folder: Path, threads: int | None = None) -> TorchReader:
        """The model that `gongkai train` left in a folder, on the GPU if there is one.

        Args:
            threads: Of torch, in the whole process; as they are if None.

        Raises:
            BrokenModel: A file is missing or damaged, or the weights are of another model.
            ConfigError: The settings are none.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        device = device_of()
        trained = load_model(folder, device)
        graphs = (SpanGraph(trained.model), RelationGraph(trained.model))
        return cls(describe(folder, trained), *(_on(device, graph) for graph in graphs))


def _on(device: torch.device, graph: nn.Module) -> Graph:
    def run(**inputs: NDArray[Any]) -> Sequence[NDArray[Any]]:
        with torch.inference_mode():
            outputs = graph(**{name: torch.from_numpy(each).to(device) for name, each in inputs.items()})
        return [output.cpu().numpy() for output in outputs]

    return run
