"""Makes test/fixtures/hf/tiny-llama: a tiny random Llama saved by transformers, with what PyTorch computes for it.

    python bench/peers/make_hf_fixture.py [folder]

Needs torch, transformers, safetensors, numpy. `expected.json` holds, for fixed tokens: logits, a greedy continuation,
the mean negative log-likelihood of the completion tokens, its gradients, and parameters after AdamW steps with
clipping (norm gains in a group without weight decay, as Troupe does).
"""

import json
import pathlib
import sys

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM
from reference import nll, numbers

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/hf/tiny-llama")
PROMPT = 3
ROWS = [[1, 5, 9, 13, 17, 21, 25, 29], [1, 30, 31, 32, 8, 2]]
GREEDY_PROMPT, GREEDY_NEW = [1, 7, 11], 12
STEPS, RATE, DECAY, CLIP = 3, 1e-2, 0.1, 0.5


def main():
    torch.manual_seed(20)
    torch.set_num_threads(1)
    config = LlamaConfig(
        vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=False,
        bos_token_id=1, eos_token_id=2, pad_token_id=0, initializer_range=0.3, attn_implementation="eager",
    )
    model = LlamaForCausalLM(config).float().eval()
    with torch.no_grad():  # gains of 1 would hide a norm that forgets them
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.add_(0.2 * torch.randn_like(parameter))
    FOLDER.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(FOLDER)

    expected = {"torch": torch.__version__, "transformers": transformers.__version__}
    expected |= {"promptLength": PROMPT, "rows": ROWS}
    with torch.no_grad():
        expected["logits"] = [numbers(model(torch.tensor([row])).logits[0]) for row in ROWS]
        out = model.generate(
            torch.tensor([GREEDY_PROMPT]), attention_mask=torch.ones(1, len(GREEDY_PROMPT), dtype=torch.long),
            max_new_tokens=GREEDY_NEW, do_sample=False, eos_token_id=None,
        )
    expected |= {"greedyPrompt": GREEDY_PROMPT, "greedy": out[0, len(GREEDY_PROMPT):].tolist()}

    loss = nll(model, ROWS, PROMPT)
    loss.backward()
    expected["nll"] = float(loss.detach())
    expected["gradients"] = {name: numbers(p.grad) for name, p in model.named_parameters() if "layers.1" not in name}

    gains = [p for name, p in model.named_parameters() if "norm" in name]
    others = [p for name, p in model.named_parameters() if "norm" not in name]
    adam = torch.optim.AdamW(
        [{"params": others, "weight_decay": DECAY}, {"params": gains, "weight_decay": 0.0}],
        lr=RATE, betas=(0.9, 0.95), eps=1e-8, foreach=False,
    )
    steps = []
    for _ in range(STEPS):
        adam.zero_grad()
        loss = nll(model, ROWS, PROMPT)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        adam.step()
        steps.append({"loss": float(loss.detach()), "gradNorm": float(norm)})
    watched = ["model.embed_tokens.weight", "model.norm.weight", "model.layers.0.self_attn.k_proj.weight"]
    state = dict(model.named_parameters())
    expected["adamw"] = {
        "learningRate": RATE, "weightDecay": DECAY, "clipNorm": CLIP, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8,
        "steps": steps, "after": {name: numbers(state[name]) for name in watched},
    }
    (FOLDER / "expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    main()
