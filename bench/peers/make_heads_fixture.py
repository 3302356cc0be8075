"""Makes test/fixtures/hf/tiny-llama-heads.json: what transformers and PyTorch compute for heads on tiny-llama.

    python bench/peers/make_heads_fixture.py

Needs torch, transformers. Scores are those of LlamaForSequenceClassification with one label; values are a linear layer with
bias on the last hidden states, as TRL's AutoModelForCausalLMWithValueHead (`v_head.summary`).
"""

import json
import pathlib

import torch
from transformers import LlamaForSequenceClassification
from reference import numbers

BASE = pathlib.Path("test/fixtures/hf/tiny-llama")
ROWS = [[1, 5, 9, 13, 17, 21, 25, 29], [1, 30, 31, 32, 8, 2]]


def main():
    torch.manual_seed(22)
    torch.set_num_threads(1)
    model = LlamaForSequenceClassification.from_pretrained(
        BASE, num_labels=1, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    with torch.no_grad():
        model.score.weight.copy_(0.5 * torch.randn_like(model.score.weight))
    expected = {"torch": torch.__version__, "rows": ROWS, "score.weight": numbers(model.score.weight)}
    scores = torch.cat([model(torch.tensor([row])).logits[0] for row in ROWS])
    expected["scores"] = numbers(scores)
    loss = -torch.nn.functional.logsigmoid(scores[0] - scores[1])
    loss.backward()
    expected["bradleyTerry"] = float(loss.detach())
    expected["gradients"] = {
        "score.weight": numbers(model.score.weight.grad),
        "model.layers.0.self_attn.k_proj.weight": numbers(model.model.layers[0].self_attn.k_proj.weight.grad),
    }
    bias = 0.25
    with torch.no_grad():
        hidden = [model.model(torch.tensor([row])).last_hidden_state[0] for row in ROWS]
        expected["v_head.summary.bias"] = bias
        expected["values"] = [numbers(h @ model.score.weight[0] + bias) for h in hidden]
    pathlib.Path("test/fixtures/hf/tiny-llama-heads.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
