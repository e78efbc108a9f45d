#!/usr/bin/env python3
"""Compares sgpt4j with sentence-transformers on one device, alternately, on the same checkpoint with random weights.

Needs torch, transformers and sentence-transformers (nothing else in this project does), and a built sgpt:

    jmh/gpu/compare.py --sgpt ./sgpt --shape 125M --shape 5.8B --dtype bf16 --device cuda

Texts are random tokens of equal length, so there is no padding. sentence-transformers is timed in three ways: the
forward pass with pooling on tokens that are already on the device (eager, and with torch.compile where that works), and
`encode` as users call it, including the tokenizer. `sgpt bench` embeds random tokens with pooling and copies the results
back. Scoring is compared with a forward pass of the language model over prompt, document and query, with log-softmax
only for the query's rows. Prints a Markdown table of tokens/s and pairs/s with ratios: medians, then the range over
rounds.
"""

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHAPES = {
    "tiny": ("GPTNeoConfig", dict(hidden_size=64, num_layers=2, num_heads=4, attention_types=[[["global", "local"], 1]])),
    "125M": ("GPTNeoConfig", dict(hidden_size=768, num_layers=12, num_heads=12, attention_types=[[["global", "local"], 6]])),
    "1.3B": ("GPTNeoConfig", dict(hidden_size=2048, num_layers=24, num_heads=16, attention_types=[[["global", "local"], 12]])),
    "2.7B": ("GPTNeoConfig", dict(hidden_size=2560, num_layers=32, num_heads=20, attention_types=[[["global", "local"], 16]])),
    "5.8B": ("GPTJConfig", dict()),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sgpt", default="./sgpt", help="command that runs sgpt, with options")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="may be given several times; default 125M")
    parser.add_argument("--dtype", default="bf16", choices=["fp32", "bf16", "fp16"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tokens", type=int, default=300)
    parser.add_argument("--query-tokens", type=int, default=16)
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32, help="texts per batch of sentence-transformers")
    parser.add_argument("--batch-tokens", type=int, default=16384, help="tokens per batch of sgpt")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="minimum time of each measurement")
    return parser.parse_args()


def make_checkpoint(shape, dtype, folder):
    """Writes random weights of a real shape, with a tokenizer of one token per character so that `encode` works."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    kind, options = SHAPES[shape]
    config = getattr(transformers, kind)(**options)
    torch.manual_seed(1)
    previous = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        model = transformers.AutoModelForCausalLM.from_config(config)
    finally:
        torch.set_default_dtype(previous)
    model.save_pretrained(folder)
    # The byte-level alphabet: printable bytes represent themselves.
    letters = [chr(c) for c in range(33, 127)]
    vocabulary = {letter: i for i, letter in enumerate(letters + ["\u0120"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="!", model_max_length=2048)
    fast.save_pretrained(folder)
    return model


def synchronize(device):
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize()


def rate(items, body, device, seconds):
    body()
    synchronize(device)
    count, start = 0, time.perf_counter()
    while count == 0 or time.perf_counter() - start < seconds:
        body()
        synchronize(device)
        count += 1
    return items * count / (time.perf_counter() - start)


def peers(model, options, folder):
    """The measurements by name; each returns tokens/s or pairs/s."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer

    model.to(options.device).eval()
    decoder = model.transformer
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(0, 95, (options.batch, options.tokens), generator=generator).to(options.device)
    scored = torch.randint(0, 95, (options.batch, options.tokens + options.query_tokens), generator=generator)
    scored = scored.to(options.device)
    weights = torch.arange(1, options.tokens + 1, device=options.device, dtype=torch.float32)
    weights = (weights / weights.sum())[None, :, None]

    @torch.inference_mode()
    def forward(network):
        hidden = network(input_ids=ids, use_cache=False).last_hidden_state
        return (hidden.float() * weights).sum(1).cpu()

    @torch.inference_mode()
    def score():
        hidden = decoder(input_ids=scored[:, :-1], use_cache=False).last_hidden_state[:, -options.query_tokens :]
        logs = torch.log_softmax(model.lm_head(hidden).float(), -1)
        return logs.gather(-1, scored[:, -options.query_tokens :, None]).sum((1, 2)).cpu()

    tokens = options.batch * options.tokens
    result = {
        ("tokens/s", "forward pass, eager"): lambda: rate(
            tokens, lambda: forward(decoder), options.device, options.seconds
        ),
        ("pairs/s", "language model, eager"): lambda: rate(options.batch, score, options.device, options.seconds),
    }
    try:
        compiled = torch.compile(decoder)
        forward(compiled)
        result[("tokens/s", "forward pass, torch.compile")] = lambda: rate(
            tokens, lambda: forward(compiled), options.device, options.seconds
        )
    except Exception as e:  # A failed compilation is reported, not hidden.
        print(f"torch.compile left out: {type(e).__name__}: {str(e).splitlines()[0]}", file=sys.stderr)
    transformer = Transformer(str(folder), max_seq_length=options.tokens)
    encoder = SentenceTransformer(
        modules=[transformer, Pooling(transformer.get_word_embedding_dimension(), pooling_mode="weightedmean")],
        device=options.device,
    )
    encoder.to(next(model.parameters()).dtype)
    letters = "abcdefghijklmnopqrstuvwxyz"
    texts = [
        "".join(letters[(i * 7 + j * j) % 26] for j in range(options.tokens)) for i in range(options.texts)
    ]
    result[("tokens/s", "encode, with its tokenizer")] = lambda: rate(
        options.texts * options.tokens,
        lambda: encoder.encode(texts, batch_size=options.batch, show_progress_bar=False),
        options.device,
        options.seconds,
    )
    return result


def ours(options, folder):
    command = shlex.split(options.sgpt) + [
        "bench", "-m", str(folder), "--device", options.device, "--dtype", options.dtype, "--format", "json",
        "--texts", str(options.texts), "--tokens", str(options.tokens), "--query-tokens", str(options.query_tokens),
        "--batch-tokens", str(options.batch_tokens), "--seconds", str(options.seconds),
    ]  # fmt: skip
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return {"tokens/s": report["tokens_per_second"]["median"], "pairs/s": report["pairs_per_second"]["median"]}, report


def main():
    options = arguments()
    import torch

    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[options.dtype]
    name = torch.cuda.get_device_name() if options.device.startswith("cuda") else options.device
    print(f"{name}, torch {torch.__version__}, {options.dtype}, {options.tokens} tokens per text\n")
    print("| shape | unit | sgpt4j | other | its value | ratio: median (range) |")
    print("| --- | --- | ---: | --- | ---: | ---: |")
    for shape in options.shape or ["125M"]:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            contenders = peers(make_checkpoint(shape, dtype, folder), options, folder)
            values = {key: [] for key in contenders}
            own = {"tokens/s": [], "pairs/s": []}
            for _ in range(options.rounds):
                rates, report = ours(options, folder)
                for unit, value in rates.items():
                    own[unit].append(value)
                for key, measure in contenders.items():
                    values[key].append(measure())
            for (unit, what), others in values.items():
                ratios = [a / b for a, b in zip(own[unit], others)]
                print(
                    f"| {shape} | {unit} | {statistics.median(own[unit]):,.0f} | {what} |"
                    f" {statistics.median(others):,.0f} | {statistics.median(ratios):.2f}"
                    f" ({min(ratios):.2f} – {max(ratios):.2f}) |"
                )
            bound = report["product_flops"] / report["ceiling_product_flops"]
            print(f"\n{shape}: products take {report['time']['products']:.0%} of the time,"
                  f" at {bound:.0%} of a large product's rate\n")  # fmt: skip


if __name__ == "__main__":
    main()
