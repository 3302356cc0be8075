"""What the scripts that make fixtures share."""

import torch


def numbers(tensor):
    """Eight significant digits of every element."""
    return [float(f"{x:.8g}") for x in tensor.detach().flatten().tolist()]


def nll(model, rows, prompt):
    """Mean negative log-likelihood over all completion tokens of all rows; the first `prompt` tokens are given."""
    total, count = 0.0, 0
    for row in rows:
        logp = model(torch.tensor([row])).logits[0].log_softmax(-1)
        for t in range(prompt - 1, len(row) - 1):
            total = total - logp[t, row[t + 1]]
            count += 1
    return total / count
