"""A ``tokenizers`` tokenizer from Unigram pieces, cutting as XLM-RoBERTa's original does."""

from typing import Any

from models.encoder.weights import Vocabulary

WORD_START = "▁"
SPECIAL_PIECES = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
ZERO_WIDTH_JOINER = "\u200d"


def build(vocabulary: Vocabulary) -> Any:
    """The tokenizer (`tokenizers.Tokenizer`) of this vocabulary, without truncation or padding.

    The normaliser is SentencePiece's built-in rule ``nmt_nfkc`` (NFKC and a little more), read from the
    installed library. Since 2019, when XLM-RoBERTa was made, the rule changed in one place that texts
    reach: the joiner inside emoji was a space then and is kept now, so it is made a space first.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    pieces = vocabulary.pieces
    scored = list(zip(pieces, vocabulary.scores, strict=True))
    tokenizer = Tokenizer(Unigram(scored, unk_id=vocabulary.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(ZERO_WIDTH_JOINER, " "),
            normalizers.Precompiled(_nmt_nfkc()),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=WORD_START, prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement=WORD_START, prepend_scheme="always")
    bos, eos = pieces[vocabulary.bos], pieces[vocabulary.eos]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, vocabulary.bos), (eos, vocabulary.eos)],
    )
    tokenizer.add_special_tokens(
        [AddedToken(piece, normalized=False, special=True) for piece in SPECIAL_PIECES if piece in pieces]
    )
    return tokenizer


def _nmt_nfkc() -> bytes:
    """SentencePiece's compiled character map of that rule."""
    from sentencepiece import SentencePieceNormalizer
    from sentencepiece.sentencepiece_model_pb2 import ModelProto

    model = ModelProto()
    model.ParseFromString(SentencePieceNormalizer(rule_name="nmt_nfkc").serialized_model_proto())
    character_map: bytes = model.normalizer_spec.precompiled_charsmap
    return character_map
