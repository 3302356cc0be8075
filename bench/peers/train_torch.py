"""One training step of a Llama decoder in PyTorch (eager): the other side of `troupe bench tensor`.

Reads one JSON object from argv[1]: vocab, width, layers, heads, intermediate, rows, length, threads, seconds.
Prints one JSON line: {"tokensPerSecond": median over steps, "torch": version, "parameters": n}.
The step is what ours is: forward, mean negative log-likelihood of every next token, backward, global-norm clipping, AdamW
(the fused CPU kernel, the fastest that PyTorch has).
"""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

spec = json.loads(sys.argv[1])
torch.set_num_threads(spec["threads"])
torch.manual_seed(1)
C, H, I = spec["width"], spec["heads"], spec["intermediate"]
D = C // H


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.n1 = nn.Parameter(torch.ones(C))
        self.n2 = nn.Parameter(torch.ones(C))
        self.qkv = nn.Linear(C, 3 * C, bias=False)
        self.out = nn.Linear(C, C, bias=False)
        self.gate_up = nn.Linear(C, 2 * I, bias=False)
        self.down = nn.Linear(I, C, bias=False)

    def forward(self, x, cos, sin):
        B, T, _ = x.shape
        q, k, v = self.qkv(F.rms_norm(x, (C,), self.n1, 1e-5)).view(B, T, 3, H, D).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(B, T, C))
        gate, up = self.gate_up(F.rms_norm(x, (C,), self.n2, 1e-5)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(spec["vocab"], C)
        self.layers = nn.ModuleList(Layer() for _ in range(spec["layers"]))
        self.norm = nn.Parameter(torch.ones(C))
        angle = torch.outer(torch.arange(spec["length"]).float(), 10000.0 ** (-torch.arange(0, D, 2).float() / D))
        self.cos = torch.cat((angle.cos(), angle.cos()), -1)
        self.sin = torch.cat((angle.sin(), angle.sin()), -1)

    def forward(self, tokens):
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return F.linear(F.rms_norm(x, (C,), self.norm, 1e-5), self.embed.weight)


model = Llama()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
tokens = torch.randint(0, spec["vocab"], (spec["rows"], spec["length"]))


def step():
    optimizer.zero_grad(set_to_none=True)
    logits = model(tokens)
    loss = F.cross_entropy(logits[:, :-1].reshape(-1, spec["vocab"]), tokens[:, 1:].reshape(-1))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


for _ in range(3):
    step()
times = []
end = time.perf_counter() + spec["seconds"]
while time.perf_counter() < end or len(times) < 5:
    start = time.perf_counter()
    step()
    times.append(time.perf_counter() - start)
times.sort()
print(
    json.dumps(
        {
            "tokensPerSecond": spec["rows"] * spec["length"] / times[len(times) // 2],
            "best": spec["rows"] * spec["length"] / times[0],
            "torch": torch.__version__,
            "parameters": sum(p.numel() for p in model.parameters()),
        }
    )
)
