"""Online DPO by TRL's trainer on the CPU: the other side of `troupe bench oaif`.

Reads one JSON object from argv[1]: vocab, width, layers, heads, intermediate, prompts, promptTokens, newTokens, beta,
learningRate, temperature, threads, warmup, updates.
Prints one JSON line: {"updatesPerSecond", "meanTokens", "parameters", "trl", "transformers", "torch"}.

The work of an update: 2 completions for each prompt by the policy (random at first, so that nearly all run to the end of
newTokens; the stop token is allowed on both sides), log-probabilities of the policy and of the frozen reference, a reward
that counts one word, the DPO loss, backward, clipping to norm 1, AdamW (fused). No checkpointing of gradients, no mixed
precision, nothing saved or reported: the fastest that the trainer offers here. The updates of the warm-up are not counted.
"""

import json
import os
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
import trl
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, TrainerCallback
from trl.experimental.online_dpo import OnlineDPOConfig, OnlineDPOTrainer

spec = json.loads(sys.argv[1])
torch.set_num_threads(spec["threads"])
torch.manual_seed(1)
transformers.logging.set_verbosity_error()

words = ["<pad>", "<s>", "</s>"] + [f"w{i}" for i in range(3, spec["vocab"])]
table = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<pad>"))
table.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=table, pad_token="<pad>", bos_token="<s>", eos_token="</s>")

model = LlamaForCausalLM(
    LlamaConfig(
        vocab_size=spec["vocab"],
        hidden_size=spec["width"],
        intermediate_size=spec["intermediate"],
        num_hidden_layers=spec["layers"],
        num_attention_heads=spec["heads"],
        num_key_value_heads=spec["heads"],
        max_position_embeddings=512,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
)

lengths = []


def count_a_word(completions, completion_ids, **_):
    lengths.append(sum(len([t for t in ids if t != 0]) for ids in completion_ids) / len(completion_ids))
    return [float(sum(word == "w7" for word in text.split())) for text in completions]


class Watch(TrainerCallback):
    begun = ended = 0.0

    def on_step_end(self, args, state, control, **_):
        if state.global_step == spec["warmup"]:
            self.begun = time.perf_counter()
        self.ended = time.perf_counter()


total = spec["warmup"] + spec["updates"]
draw = torch.Generator().manual_seed(1)
ids = torch.randint(3, spec["vocab"], (total * spec["prompts"], spec["promptTokens"] - 1), generator=draw).tolist()
data = Dataset.from_dict({"prompt": ["<s> " + " ".join(words[i] for i in row) for row in ids]})
watch = Watch()
with tempfile.TemporaryDirectory() as folder:
    trainer = OnlineDPOTrainer(
        model=model,
        reward_funcs=count_a_word,
        args=OnlineDPOConfig(
            output_dir=folder,
            per_device_train_batch_size=spec["prompts"],
            max_steps=total,
            max_new_tokens=spec["newTokens"],
            temperature=spec["temperature"],
            beta=spec["beta"],
            learning_rate=spec["learningRate"],
            lr_scheduler_type="constant",
            optim="adamw_torch_fused",
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=True,
            save_strategy="no",
            report_to=[],
            logging_steps=10**6,
            disable_tqdm=True,
        ),
        train_dataset=data,
        processing_class=tokenizer,
        callbacks=[watch],
    )
    trainer.train()

print(
    json.dumps(
        {
            "updatesPerSecond": spec["updates"] / (watch.ended - watch.begun),
            "meanTokens": sum(lengths) / len(lengths),
            "parameters": sum(p.numel() for p in model.parameters()),
            "trl": trl.__version__,
            "transformers": transformers.__version__,
            "torch": torch.__version__,
        }
    )
)
