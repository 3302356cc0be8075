"""Makes tiny tokenizers of every kind by Python's tokenizers, with what transformers gives for them.

    python bench/peers/make_hf_tokenizers.py [test/fixtures/hf/tokenizers]

Needs transformers and tokenizers. Each folder has tokenizer.json, tokenizer_config.json, for one of them chat_template.jinja,
and expected.json: ids of texts with and without special tokens, their decoding, and renderings of chat templates.
"""

import json
import pathlib
import shutil
import sys

import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/hf/tokenizers")

CORPUS = [
    "The oak and the elm stand in the wood, the fig by the wall.", "List three birds in alphabetical order: heron, owl, wren.",
    "don't, can't, we'll, I've, you're, she'd", "Zürich, naïve, façade, crème brûlée", "1 22 333 4444 55555 2026-11-24",
    "for (let i = 0; i < n; i++) {\n    total += values[i]\n}\n", "The user asks; the assistant answers. The system says how.",
] * 3
TEXTS = [
    "", " ", "the oak", " the oak", "the  oak   and\tthe\n\nelm ", "\n", "  leading", "trailing  ", "don't we'll I'VE",
    "Zürich naïve", "cafe\u0301 caf\u00e9", "日本語のテキスト", "مرحبا", "😀👩‍👩‍👧 ok", "1 22 333 12345678", "a\u00a0b\u2003c", "x\r\ny", "<s>the</s> oak",
    "<|im_start|>user", "▁under_score", "\u0000\u0007", "i = 0; i++", "İstanbul ǅ",
]

GPT2_PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
QWEN_PATTERN = r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
LLAMA3_PATTERN = QWEN_PATTERN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")

LLAMA3 = (
    "{{- bos_token }}{%- if not date_string is defined %}{%- set date_string = '26 Jul 2024' %}{%- endif %}"
    "{%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content'] | trim %}"
    "{%- set messages = messages[1:] %}{%- else %}{%- set system_message = '' %}{%- endif %}"
    "{{- '<|start_header_id|>system<|end_header_id|>\n\n' }}{{- 'Today Date: ' + date_string + '\n\n' }}"
    "{{- system_message }}{{- '<|eot_id|>' }}{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}"
)
CHATML = """{%- if tools %}
    {{- '<|im_start|>system\\n# Tools\\n' }}
    {%- for tool in tools %}
        {{- tool | tojson }}
        {{- "\\n" }}
    {%- endfor %}
    {{- '<|im_end|>\\n' }}
{%- elif messages[0].role != 'system' %}
    {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
MISTRAL = """{{ bos_token }}{% for message in messages %}
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
{% endif %}
{% if message['role'] == 'user' %}
{{ '[INST] ' + message['content'] + ' [/INST]' }}
{% elif message['role'] == 'assistant' %}
{{ message['content'] + eos_token }}
{% else %}
{{ raise_exception('Only user and assistant roles are supported!') }}
{% endif %}
{% endfor %}"""
TALK = [
    {"role": "user", "content": " Name the oak’s neighbours. "}, {"role": "assistant", "content": "the elm\nand the fig"},
    {"role": "user", "content": "Danke schön 😀"},
]
CHATS = [TALK, TALK[:1], [{"role": "system", "content": "Say how."}, *TALK]]
TOOLS = [{"type": "function", "function": {"name": "count", "description": "Zählt <Bäume> & \"mehr\"", "parameters": {"n": [1, 2.5, None, True]}}}]


def byte_level(pattern, specials, normalizer=None, post=None, size=330):
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]) if pattern != GPT2_PATTERN else pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, special_tokens=specials, show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = post(tokenizer) if post else processors.ByteLevel(trim_offsets=False)
    return tokenizer


def begins_with(token):
    def post(tokenizer):
        template = processors.TemplateProcessing(
            single=f"{token} $A", pair=f"{token} $A {token}:1 $B:1", special_tokens=[(token, tokenizer.token_to_id(token))],
        )
        return processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    return post


def sentencepiece():
    bytes_ = [f"<0x{i:02X}>" for i in range(256)]
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    trained.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=160, show_progress=False))
    state = json.loads(trained.to_str())
    vocab = {token: i for i, token in enumerate(["<unk>", "<s>", "</s>", *bytes_])}
    for token in sorted(state["model"]["vocab"], key=state["model"]["vocab"].get):
        vocab.setdefault(token, len(vocab))
    merges = [tuple(merge) for merge in state["model"]["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = trained.normalizer
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0),
    ])
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in ["<unk>", "<s>", "</s>"]])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)],
    )
    return tokenizer


def save(name, tokenizer, tokens, template=None, as_file=False, tools=None, settings={}):
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **tokens)
    fast.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text()) | settings
    if template and as_file:
        (folder / "chat_template.jinja").write_text(template)
    elif template:
        named = [{"name": "default", "template": template}, {"name": "short", "template": "{{ messages | length }}"}]
        config["chat_template"] = named if tools else template
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False))
    fast = PreTrainedTokenizerFast.from_pretrained(folder)
    expected = {"transformers": transformers.__version__, "texts": []}
    for text in TEXTS:
        plain, special = (fast(text, add_special_tokens=add)["input_ids"] for add in (False, True))
        decoded = [fast.decode(special, skip_special_tokens=skip, clean_up_tokenization_spaces=False) for skip in (False, True)]
        expected["texts"].append({"text": text, "plain": plain, "special": special, "decoded": decoded})
    if template:
        expected["chats"] = []
        for messages in CHATS:
            for prompt in (False, True):
                for extra in ({}, {"tools": tools}) if tools else ({},):
                    case = {"messages": messages, "addGenerationPrompt": prompt, "variables": extra}
                    try:
                        kwargs = dict(add_generation_prompt=prompt, **extra)
                        text = fast.apply_chat_template(messages, tokenize=False, **kwargs)
                        ids = fast.apply_chat_template(messages, tokenize=True, return_dict=False, **kwargs)
                        case |= {"rendered": text, "ids": ids}
                    except Exception as error:
                        case |= {"error": str(error)}
                    expected["chats"].append(case)
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False))
    print(f"{name}: {tokenizer.get_vocab_size()} tokens, {len(expected.get('chats', []))} renderings")


save("gpt2", byte_level(GPT2_PATTERN, ["<|endoftext|>"]), dict(bos_token="<|endoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>"))
save("gpt-neox", byte_level(GPT2_PATTERN, ["<|endoftext|>", "<|padding|>"], normalizers.NFC()),
     dict(bos_token="<|endoftext|>", eos_token="<|padding|>"), settings=dict(add_bos_token=False, add_eos_token=True))
save("qwen", byte_level(QWEN_PATTERN, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], normalizers.NFC()),
     dict(eos_token="<|im_end|>", pad_token="<|endoftext|>"), CHATML, tools=TOOLS)
HEADERS = ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"]
save("llama3", byte_level(LLAMA3_PATTERN, HEADERS, post=begins_with("<|begin_of_text|>")),
     dict(bos_token="<|begin_of_text|>", eos_token="<|eot_id|>"), LLAMA3)
save("mistral", sentencepiece(), dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>"), MISTRAL, as_file=True)
