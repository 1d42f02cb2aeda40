"""The character vocabulary of an encoder's folder: one token a code point, so token offsets are text offsets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from gongkai.errors import GongkaiError
from gongkai.model.characters import FIRST, LAST, PAD, SPECIAL, UNKNOWN, Characters

MASK: Final = 4
"""The special id that only masked language modelling uses."""

NAMES: Final = {PAD: "[PAD]", UNKNOWN: "[UNK]", FIRST: "[CLS]", LAST: "[SEP]", MASK: "[MASK]"}
"""Special tokens as `transformers` calls them. Text never becomes one of them, not even the text `[MASK]`."""

FILE: Final = "tokenizer.json"


class BrokenTokenizer(GongkaiError):
    """A model folder has no character tokenizer, or one of another kind."""


def save_characters(characters: Characters, folder: Path) -> None:
    """Write the files that `transformers.AutoTokenizer` reads; it gives the ids of `characters`, offsets 1:1."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    names = [*(NAMES[number] for number in range(SPECIAL)), *characters.characters]
    vocabulary = {name: number for number, name in enumerate(names)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=NAMES[UNKNOWN]))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", FIRST), ("[SEP]", LAST)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=NAMES[PAD],
        unk_token=NAMES[UNKNOWN],
        cls_token=NAMES[FIRST],
        sep_token=NAMES[LAST],
        mask_token=NAMES[MASK],
        split_special_tokens=True,
        model_max_length=512,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)


def load_characters(folder: Path) -> Characters:
    """The vocabulary of a model folder that `gongkai train init` or `adapt` wrote.

    Raises:
        BrokenTokenizer: The file is missing, damaged, or its tokens are not single characters.
    """
    path = folder / FILE
    try:
        vocabulary = json.loads(path.read_bytes())["model"]["vocab"]
        names = sorted(vocabulary, key=vocabulary.__getitem__)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BrokenTokenizer(
            str(path), "It is no tokenizer.", "Name a folder that `gongkai train init` or `adapt` wrote."
        ) from None
    specials, characters = names[:SPECIAL], names[SPECIAL:]
    if specials != [NAMES[number] for number in range(SPECIAL)] or any(len(c) != 1 for c in characters):
        raise BrokenTokenizer(
            str(path), "Its tokens are not characters.", "Name an encoder that `gongkai train init` made."
        )
    return Characters(characters)
