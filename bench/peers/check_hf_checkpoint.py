"""Opens a checkpoint that Troupe wrote with transformers, and compares.

    python bench/peers/check_hf_checkpoint.py <folder> <ours.json> [<theirs.json>]

`ours.json` (written by test/models/write-hf-checkpoint.ts): { rows, logits, texts, ids }. Logits must agree to 1e-4,
token ids exactly. With a third argument transformers' own numbers are written there, for tests that have no Python.
"""

import json
import sys

import numpy as np
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, ours_path = sys.argv[1:3]
ours = json.load(open(ours_path))
model, report = AutoModelForCausalLM.from_pretrained(
    folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
)
assert not report["missing_keys"] and not report["unexpected_keys"], report
assert type(model).__name__ == model.config.architectures[0], type(model)
model.eval()

theirs = {"torch": torch.__version__, "transformers": transformers.__version__, "rows": ours["rows"], "logits": []}
worst = 0.0
with torch.no_grad():
    for row, logits in zip(ours["rows"], ours["logits"], strict=True):
        expected = model(torch.tensor([row])).logits[0].flatten().numpy()
        worst = max(worst, float(np.abs(expected - np.asarray(logits, dtype=np.float32)).max()))
        theirs["logits"].append([float(f"{x:.8g}") for x in expected])

tokenizer = AutoTokenizer.from_pretrained(folder)
theirs |= {"texts": ours["texts"], "ids": [tokenizer(text)["input_ids"] for text in ours["texts"]]}
theirs["decoded"] = [tokenizer.decode(ids, skip_special_tokens=True) for ids in theirs["ids"]]
theirs["special"] = [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id]
if len(sys.argv) > 3:
    json.dump(theirs, open(sys.argv[3], "w"))
print(f"logits differ by at most {worst:.2e}")
assert worst < 1e-4, worst
assert theirs["ids"] == ours["ids"], (theirs["ids"], ours["ids"])
print(f"{type(tokenizer).__name__}: {len(ours['texts'])} texts give the same ids")
