"""The one choice of device."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from gongkai.errors import ConfigError  # noqa: E402
from gongkai_training.devices import device_of  # noqa: E402


@pytest.mark.parametrize(
    ("choice", "gpu", "device"),
    [("auto", False, "cpu"), ("auto", True, "cuda"), ("cpu", True, "cpu"), ("cuda:0", True, "cuda:0")],
)
def test_a_choice(choice: str, gpu: bool, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert device_of(choice) == torch.device(device)


@pytest.mark.parametrize(("choice", "says"), [("gpu", "auto, cpu or cuda"), ("cuda", "no GPU")])
def test_a_choice_that_is_none(choice: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=f"device: {choice}: .*{says}"):
        device_of(choice)
