"""An exported model with the pipeline around it, as a folder that `spacy.load` opens."""

from __future__ import annotations

from pathlib import Path

import gongkai
from gongkai.errors import OutputError
from gongkai.model.bundle import read_bundle
from gongkai.pipeline import load

DESCRIPTION = (
    "Entities, relations, facts and findings in Chinese government reports; rules and a joint model."
)


def package(model: Path, out: Path, *, force: bool = False) -> None:
    """Write the hybrid pipeline with its model into the folder `out`.

    Args:
        model: As `gongkai train export` writes it.

    Raises:
        BrokenModel: There is no exported model in that folder.
        OutputError: `out` holds something and `force` is not given.
    """
    if out.exists() and any(out.iterdir()) and not force:
        raise OutputError(str(out), "It is not empty.", "Choose another, or pass --force.")
    read_bundle(model)  # a model as training left it could be read as well, but is not to be shipped
    nlp = load("hybrid", model=model)
    # The model travels with the pipeline: where it was read from is nobody's business.
    nlp.get_pipe_config("gongkai_model")["folder"] = None
    nlp.meta.update(
        name="gongkai", version=gongkai.__version__, license="Apache-2.0", description=DESCRIPTION
    )
    nlp.to_disk(out)
