"""Writes small Parquet datasets by Apache Arrow, in TRL's shapes, with what it reads back from them.

    python bench/peers/make_parquet_fixtures.py [test/fixtures/data]

Needs pyarrow. expected.json holds the rows of each file as `to_pylist()` gives them, or the file with the same rows.
"""

import itertools
import json
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/data")
MESSAGES = pa.list_(pa.struct([("content", pa.string()), ("role", pa.string())]))


def turns(*contents):
    roles = ["user", "assistant"]
    return [{"content": content, "role": roles[i % 2]} for i, content in enumerate(contents)]


ANIMALS = ["heron", "owl", "wren", "鷺 🐦", "crème brûlée", "two\nlines"]
CONVERSATIONS = [
    {
        "prompt": f"Name {n} animals",
        "chosen": turns(*(["Hello", "Hi."] if n % 3 == 0 else []), f"Name {n} animals", " ".join(ANIMALS[: n % 6 + 1])),
        "rejected": turns(*(["Hello", "Hi."] if n % 3 == 0 else []), f"Name {n} animals", "none" if n % 2 else ""),
        "score": None if n % 4 else n / 4,
    }
    for n in range(50)
]
CONVERSATION = pa.schema([("prompt", pa.string()), ("chosen", MESSAGES), ("rejected", MESSAGES), ("score", pa.float64())])
TEXTS = [{"prompt": f"copy {word}", "chosen": word, "rejected": word[::-1], "margin": i} for i, word in enumerate(ANIMALS)]

# In the words of the model of test/models/written.ts: the first two words of the prompt are better than another.
TREES = [
    {"prompt": [{"role": "user", "content": f"name {a} {b} {c}"}], "chosen": [{"role": "assistant", "content": f"{a} , {b}"}],
     "rejected": [{"role": "assistant", "content": c}]}
    for a, b, c in itertools.permutations(["oak", "fig", "elm", "three", "trees"], 3)
]


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    expected = {}

    def write(name, rows, schema=None, **options):
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), FOLDER / name, **options)
        read = pq.read_table(FOLDER / name).to_pylist()
        same = next((first for first, rows in expected.items() if rows == read), None)
        expected[name] = read if same is None else {"same_as": same}

    for codec in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
        write(f"conversations-{codec}.parquet", CONVERSATIONS, CONVERSATION, compression=codec, row_group_size=20)
    write("pages-v2.parquet", CONVERSATIONS, CONVERSATION, data_page_version="2.0", use_dictionary=False)
    write("texts.parquet", TEXTS)
    write("null-prompt.parquet", [*TEXTS[:2], {"prompt": None, "chosen": "a", "rejected": "b"}])
    write("trees.parquet", TREES)
    write("no-rows.parquet", [], pa.schema([("prompt", pa.string())]))
    write("other-columns.parquet", [{"question": "why", "answer": "so"}])
    write("numbers.parquet", [{"prompt": 7}])
    (FOLDER / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


main()
