"""Where a model is trained and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gongkai.errors import ConfigError

if TYPE_CHECKING:
    import torch


def device_of(choice: str = "auto") -> torch.device:
    """The device that a setting asks for: `auto` is a GPU if there is one, else the CPU; others as torch names them.

    Raises:
        ConfigError: torch knows no such device, or it is a GPU and there is none.
    """
    # Settings that hold a device are read without torch.
    import torch

    gpu = torch.cuda.is_available()
    if choice == "auto":
        return torch.device("cuda" if gpu else "cpu")
    try:
        device = torch.device(choice)
    except RuntimeError:
        raise ConfigError(
            f"device: {choice}", "There is no such device.", "Take auto, cpu or cuda."
        ) from None
    if device.type == "cuda" and not gpu:
        raise ConfigError(f"device: {choice}", "torch sees no GPU.", "Take auto or cpu.")
    return device
