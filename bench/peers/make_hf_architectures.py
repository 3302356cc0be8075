"""Makes tiny random checkpoints of every architecture by transformers, with what PyTorch computes for them.

    python bench/peers/make_hf_architectures.py [test/fixtures/hf]

Needs torch, transformers, safetensors. Beside each checkpoint `expected.json` holds logits of two rows of tokens, a greedy
continuation, the mean negative log-likelihood of the rows from PROMPT on, and of each gradient two numbers. Half-precision checkpoints are computed in float32 from what was stored.
"""

import json
import pathlib
import shutil
import sys

import torch
import transformers
from transformers import (
    AutoModelForCausalLM, GPT2Config, GPTNeoXConfig, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config,
)
from reference import nll, numbers

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/hf")
ROWS = [[1, 5, 9, 13, 17, 21, 25, 29, 33, 37, 2, 6, 10, 14, 18, 22, 26, 30, 34, 38, 3, 7, 11, 15], [1, 30, 31, 32, 8, 2]]
PROMPT = 3
GREEDY_PROMPT, GREEDY_NEW = [1, 7, 11, 30, 12, 4, 9], 16

TOKENS = dict(bos_token_id=1, eos_token_id=2, pad_token_id=0, initializer_range=0.3)
LLAMA = dict(
    vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=64, **TOKENS,
)
NEOX = dict(
    vocab_size=40, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
    max_position_embeddings=64, **TOKENS,
)
GPT2 = dict(vocab_size=40, n_embd=16, n_layer=2, n_head=4, n_positions=64, **TOKENS)
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}

MODELS = {
    "llama-biases-llama3-rope": (LlamaConfig(attention_bias=True, mlp_bias=True, rope_parameters=LLAMA3, **LLAMA), {}),
    "llama-linear-rope-sharded": (
        LlamaConfig(rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}, **LLAMA),
        {"max_shard_size": "10KB"},
    ),
    "mistral-window": (MistralConfig(sliding_window=4, head_dim=8, **LLAMA), {}),
    "qwen2-window": (
        Qwen2Config(tie_word_embeddings=True, use_sliding_window=True, sliding_window=3, max_window_layers=1, **LLAMA), {},
    ),
    "qwen2-bf16": (Qwen2Config(dtype="bfloat16", **LLAMA), {}),
    "qwen3": (Qwen3Config(head_dim=6, tie_word_embeddings=True, **LLAMA), {}),
    "gpt2": (GPT2Config(**GPT2), {}),
    "gpt2-untied-f16": (
        GPT2Config(tie_word_embeddings=False, n_inner=24, activation_function="gelu", dtype="float16", **GPT2), {},
    ),
    "gpt-neox-parallel": (GPTNeoXConfig(rotary_pct=0.25, **NEOX), {}),
    "gpt-neox-sequential": (
        GPTNeoXConfig(
            use_parallel_residual=False, attention_bias=False, hidden_act="gelu_new", tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": 100.0, "partial_rotary_factor": 0.5}, **NEOX,
        ), {},
    ),
}


def fingerprint(gradient):
    """The norm, and the product with cos 0, cos 1, cos 2, …"""
    flat = gradient.flatten().double()
    return [float(flat.norm()), float(flat @ torch.arange(flat.numel(), dtype=torch.float64).cos())]


def make(name, config, saving):
    torch.manual_seed(21)
    config._attn_implementation = "eager"
    dtype = config.dtype or torch.float32
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():  # gains of 1 and biases of 0 would hide what forgets them
        for key, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    model = model.to(dtype)
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, **saving)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    prompt = torch.tensor([GREEDY_PROMPT])
    with torch.no_grad():
        logits = [numbers(model(torch.tensor([row])).logits[0]) for row in ROWS]
        out = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=GREEDY_NEW, do_sample=False, eos_token_id=None,
        )
        best = model(out).logits[0, len(GREEDY_PROMPT) - 1:-1].topk(2).values
    margin = float((best[:, 0] - best[:, 1]).min())
    assert margin > 1e-3, f"{name}: greedy choices are as good as equal"
    loss = nll(model, ROWS, PROMPT)
    loss.backward()
    rename = lambda key: key.replace("lm_head", "embed_out") if config.model_type == "gpt_neox" else key
    expected = {
        "promptLength": PROMPT, "nll": float(loss.detach()),
        "gradients": {rename(key): fingerprint(p.grad) for key, p in model.named_parameters()},
        "torch": torch.__version__, "transformers": transformers.__version__, "rows": ROWS, "logits": logits,
        "greedyPrompt": GREEDY_PROMPT, "greedy": out[0, len(GREEDY_PROMPT):].tolist(),
    }
    (folder / "expected.json").write_text(json.dumps(expected))
    files = sorted(path.name for path in folder.glob("*.safetensors"))
    print(f"{name}: {model.num_parameters()} parameters in {files}, least greedy margin {margin:.3f}")


for name, (config, saving) in MODELS.items():
    make(name, config, saving)
