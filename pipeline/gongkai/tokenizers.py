"""Tokenizers with one promise: token boundaries are code-point offsets of the source text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import registry
from spacy.vocab import Vocab

from gongkai.errors import ConfigError


class CharacterTokenizer:
    """Every code point is a token, white space too: token i is character i, and `doc.text` is the text."""

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        return Doc(self.vocab, words=list(text), spaces=[False] * len(text))

    def to_bytes(self, **kwargs: object) -> bytes:
        return b""

    def from_bytes(self, data: bytes, **kwargs: object) -> CharacterTokenizer:
        return self

    def to_disk(self, path: str | Path, **kwargs: object) -> None:
        return None

    def from_disk(self, path: str | Path, **kwargs: object) -> CharacterTokenizer:
        return self


class PkusegTokenizer(CharacterTokenizer):
    """Words by spacy-pkuseg; characters that it drops (white space) stay as tokens of their own.

    Args:
        model: Folder of a pkuseg model. The package ships none; one is trained with `spacy_pkuseg.train`
            or fetched by its own download.
    """

    def __init__(self, vocab: Vocab, model: str) -> None:
        super().__init__(vocab)
        if not Path(model).is_dir():
            raise ConfigError(str(model), "No pkuseg model there.", "Name the folder of a trained model.")
        import spacy_pkuseg

        self._segmenter = spacy_pkuseg.pkuseg(str(model))

    def __call__(self, text: str) -> Doc:
        words: list[str] = []
        done = 0
        for word in self._segmenter.cut(text):
            start = text.index(word, done)
            words += text[done:start]
            words.append(word)
            done = start + len(word)
        words += text[done:]
        return Doc(self.vocab, words=words, spaces=[False] * len(words))


@registry.tokenizers("gongkai.CharacterTokenizer.v1")
def make_character_tokenizer() -> Callable[[Language], CharacterTokenizer]:
    """Config block `[nlp.tokenizer]` with `@tokenizers = "gongkai.CharacterTokenizer.v1"`."""
    return lambda nlp: CharacterTokenizer(nlp.vocab)


@registry.tokenizers("gongkai.PkusegTokenizer.v1")
def make_pkuseg_tokenizer(model: str) -> Callable[[Language], PkusegTokenizer]:
    """Config block `[nlp.tokenizer]` with `@tokenizers = "gongkai.PkusegTokenizer.v1"` and `model`."""
    return lambda nlp: PkusegTokenizer(nlp.vocab, model)
