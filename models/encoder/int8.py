"""The encoder as one int8 ONNX file: pooling and normalising inside, a quarter of the size, several times faster.

sentence-transformers' own ONNX backend needs optimum, which does not go with transformers 5; so the graph is
traced by torch and quantised by onnxruntime directly.
"""

import tempfile
from pathlib import Path
from typing import Any

from models.encoder.quiet import quietly
from models.encoder.smooth import smooth

FILE = "onnx/model_int8.onnx"
INPUTS = ("input_ids", "attention_mask")
OUTPUT = "embedding"

_OPSET = 17  # the first with LayerNormalization as one operator


def export(folder: Path) -> None:
    """Write `FILE` into a SentenceTransformer folder with a BertModel, mean pooling and normalising.

    Inputs: int64 (batch, tokens) twice. Output: float32 (batch, dimension), unit rows. Weights are int8, one
    scale a column; what flows through is quantised afresh in each run, one scale a tensor, so a text's vector
    depends a little on what it is embedded with.
    """
    with tempfile.TemporaryDirectory(dir=folder) as scratch, quietly():
        traced, shaped = Path(scratch) / "traced.onnx", Path(scratch) / "shaped.onnx"
        _trace(folder, traced)
        target = folder / FILE
        target.parent.mkdir(exist_ok=True)
        _quantise(traced, shaped, target)


def _trace(folder: Path, target: Path) -> None:
    import torch

    example = torch.tensor([[0, 4, 5, 2], [0, 6, 2, 1]]), torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    lengths = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        _pooled(folder),
        example,
        str(target),
        input_names=list(INPUTS),
        output_names=[OUTPUT],
        dynamic_axes={INPUTS[0]: lengths, INPUTS[1]: lengths, OUTPUT: {0: "batch"}},
        opset_version=_OPSET,
        dynamo=False,  # the newer exporter needs onnxscript and makes a graph that quantises worse
    )


def _pooled(folder: Path) -> Any:
    """BertModel, smoothed, with mean pooling over the real tokens, then unit length."""
    import torch
    from transformers import AutoModel

    class Pooled(torch.nn.Module):  # type: ignore[misc]  # torch is not read by mypy here
        def __init__(self) -> None:
            super().__init__()
            self.bert = AutoModel.from_pretrained(
                folder, add_pooling_layer=False, attn_implementation="eager", local_files_only=True
            ).eval()
            smooth(self.bert)

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            real = attention_mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * real).sum(1) / real.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, dim=1)

    return Pooled().eval()


def _quantise(traced: Path, shaped: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    quant_pre_process(str(traced), str(shaped), skip_symbolic_shape=True)
    quantize_dynamic(str(shaped), str(target), weight_type=QuantType.QInt8, per_channel=True)
