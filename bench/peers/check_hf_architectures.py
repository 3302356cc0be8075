"""Opens checkpoints that Troupe saved with transformers, and compares logits with those of the checkpoints they came from.

    node dist/test/models/resave-hf-checkpoints.js saved && python bench/peers/check_hf_architectures.py saved [test/fixtures/hf]

Folders are called <fixture>@<dtype>. F32 must agree to 1e-4; BF16 and F16 hold the weights rounded to the nearest.
"""

import json
import pathlib
import sys

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

SAVED = pathlib.Path(sys.argv[1])
FIXTURES = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "test/fixtures/hf")
DTYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}


def tensors(folder):
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            found |= {key: file.get_tensor(key) for key in file.keys()}
    return found


for folder in sorted(SAVED.iterdir()):
    name, dtype = folder.name.split("@")
    model, report = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"], (folder, report)
    ours, theirs = tensors(folder), tensors(FIXTURES / name)
    assert ours.keys() == theirs.keys(), (folder, ours.keys() ^ theirs.keys())
    for key in ours:
        assert torch.equal(ours[key], theirs[key].float().to(DTYPES[dtype])), (folder, key)
    expected = json.loads((FIXTURES / name / "expected.json").read_text())
    worst = 0.0
    with torch.no_grad():
        for row, logits in zip(expected["rows"], expected["logits"], strict=True):
            worst = max(worst, float((model(torch.tensor([row])).logits[0].flatten() - torch.tensor(logits)).abs().max()))
    assert dtype != "F32" or worst < 1e-4, (folder, worst)
    print(f"{folder.name}: {type(model).__name__}, {len(list(folder.glob('*.safetensors')))} files, logits differ by {worst:.1e}")
