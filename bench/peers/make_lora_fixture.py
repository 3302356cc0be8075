"""Makes test/fixtures/hf/tiny-llama-lora: a random adapter of tiny-llama saved by peft, with what PyTorch computes for it.

    python bench/peers/make_lora_fixture.py

Needs torch, transformers, peft. `expected.json` holds logits of the adapted model, and the loss and gradients of the
adapter's matrices of layer 0 for the mean negative log-likelihood of make_hf_fixture.py.
"""

import json
import pathlib

import peft
import torch
from transformers import LlamaForCausalLM
from reference import nll, numbers

BASE = pathlib.Path("test/fixtures/hf/tiny-llama")
FOLDER = pathlib.Path("test/fixtures/hf/tiny-llama-lora")
PROMPT = 3
ROWS = [[1, 5, 9, 13, 17, 21, 25, 29], [1, 30, 31, 32, 8, 2]]  # as make_hf_fixture.py


def main():
    torch.manual_seed(21)
    torch.set_num_threads(1)
    base = LlamaForCausalLM.from_pretrained(BASE, dtype=torch.float32, attn_implementation="eager")
    settings = peft.LoraConfig(r=3, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM")
    model = peft.get_peft_model(base, settings).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:  # fresh ones are zero
                parameter.copy_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(FOLDER)
    (FOLDER / "README.md").unlink(missing_ok=True)
    expected = {"torch": torch.__version__, "peft": peft.__version__}
    with torch.no_grad():
        expected["logits"] = [numbers(model(torch.tensor([row])).logits[0]) for row in ROWS]
    loss = nll(model, ROWS, PROMPT)
    loss.backward()
    expected["nll"] = float(loss.detach())
    expected["gradients"] = {
        name.removeprefix("base_model.model.").replace(".default", ""): numbers(p.grad)
        for name, p in model.named_parameters() if p.requires_grad and "layers.0" in name
    }
    (FOLDER / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
