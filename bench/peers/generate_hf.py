"""
Sampling with transformers' generate(): the other side of the generation bench.

    python generate_hf.py '{"vocabSize": 512, "hiddenSize": 128, "intermediateSize": 344, "numHiddenLayers": 4,
      "numAttentionHeads": 4, "numKeyValueHeads": 4, "batch": 64, "promptLength": 16, "newTokens": 48,
      "temperature": 0.7, "topP": 0.9, "threads": 1, "repeats": 5}'

A Llama of these sizes with random weights and a tied head answers one batch of prompts of equal length; no sequence ends
early. Prints one line of JSON: tokens per second (median over repeats, after one warm-up), and per second of processor
time, with versions.
"""

import json
import platform
import statistics
import sys
import time

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM


def main() -> None:
    sizes = json.loads(sys.argv[1])
    torch.set_num_threads(sizes["threads"])
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=sizes["vocabSize"],
        hidden_size=sizes["hiddenSize"],
        intermediate_size=sizes["intermediateSize"],
        num_hidden_layers=sizes["numHiddenLayers"],
        num_attention_heads=sizes["numAttentionHeads"],
        num_key_value_heads=sizes["numKeyValueHeads"],
        max_position_embeddings=sizes["promptLength"] + sizes["newTokens"],
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
    )
    model = LlamaForCausalLM(config).eval()
    prompts = torch.randint(0, sizes["vocabSize"], (sizes["batch"], sizes["promptLength"]))
    mask = torch.ones_like(prompts)

    def run() -> tuple[float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        with torch.inference_mode():
            written = model.generate(
                prompts,
                attention_mask=mask,
                do_sample=True,
                temperature=sizes["temperature"],
                top_p=sizes["topP"],
                top_k=0,
                max_new_tokens=sizes["newTokens"],
                min_new_tokens=sizes["newTokens"],
                eos_token_id=None,
                pad_token_id=0,
            )
        spent = time.perf_counter() - wall, time.process_time() - cpu
        assert written.shape == (sizes["batch"], sizes["promptLength"] + sizes["newTokens"])
        return spent

    run()
    spent = [run() for _ in range(sizes["repeats"])]
    tokens = sizes["batch"] * sizes["newTokens"]
    print(
        json.dumps(
            {
                "tokensPerSecond": tokens / statistics.median(wall for wall, _ in spent),
                "tokensPerCpuSecond": tokens / statistics.median(cpu for _, cpu in spent),
                "repeats": sizes["repeats"],
                "threads": torch.get_num_threads(),
                "parameters": sum(p.numel() for p in model.parameters()),
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "python": platform.python_version(),
            }
        )
    )


if __name__ == "__main__":
    main()
