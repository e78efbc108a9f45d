#!/usr/bin/env python3
"""Compares sgpt4j with sentence-transformers on one device, alternately, on the same checkpoint with random weights.

Needs torch, transformers and sentence-transformers (nothing else in this project does):

    jmh/gpu/compare.py --shape 125M --shape 5.8B --dtype bf16 --device cuda --batch 32 --batch 128

Texts are different, of equal length in tokens, so there is no padding. Each side opens the checkpoint once.
sentence-transformers is timed in these ways: the forward pass with pooling on tokens that are already on the device, with
eager attention, with PyTorch's fused one (sdpa) where the family has it, and with torch.compile where that works within
its time; and `encode` as users call it, including the tokenizer. sgpt4j embeds texts as users do, including its
tokenizer and the copy back. Scoring is compared with a forward pass of the language model over text and query, with
log-softmax only for the query's rows.

Before anything is timed, embeddings are compared: the exit code is 1 if a text's two vectors have a cosine below 0.999.
Prints each measurement, then a Markdown table: medians over the rounds, and what the fastest of sgpt4j's settings
reaches in the same round, divided by the other's rate: median, then the range.
"""

import argparse
import json
import random
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHAPES = {
    "tiny": ("GPTNeoConfig", dict(hidden_size=64, num_layers=2, num_heads=4, attention_types=[[["global", "local"], 1]])),
    "tiny-GPT2": ("GPT2Config", dict(n_embd=64, n_layer=2, n_head=4)),
    "GPT2-124M": ("GPT2Config", dict()),
    "125M": ("GPTNeoConfig", dict(hidden_size=768, num_layers=12, num_heads=12, attention_types=[[["global", "local"], 6]])),
    "1.3B": ("GPTNeoConfig", dict(hidden_size=2048, num_layers=24, num_heads=16, attention_types=[[["global", "local"], 12]])),
    "2.7B": ("GPTNeoConfig", dict(hidden_size=2560, num_layers=32, num_heads=20, attention_types=[[["global", "local"], 16]])),
    "5.8B": ("GPTJConfig", dict()),
}
MIN_COSINE = 0.999
SERVE = Path(__file__).parent / "serve.sh"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sgpt", default=str(SERVE), help="command that starts sgpt4j's side (default: %(default)s)")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="may be given several times; default 125M")
    parser.add_argument("--dtype", default="bf16", choices=["fp32", "bf16", "fp16"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sgpt-device", help="default: the same")
    parser.add_argument("--tokens", type=int, default=300)
    parser.add_argument("--query-tokens", type=int, default=16)
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--batch", type=int, action="append", help="texts per batch of sentence-transformers; default 32")
    parser.add_argument("--batch-tokens", type=int, action="append", help="tokens per batch of sgpt4j; default 16384")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="minimum time of each measurement")
    parser.add_argument("--compile-seconds", type=float, default=300, help="torch.compile is left out after that time")
    parser.add_argument("--compile-backend", default="inductor", help="of torch.compile (default: %(default)s)")
    parser.add_argument("--scratch", help="folder for the checkpoint (default: the system's)")
    parser.add_argument("--json", action="store_true", help="print all figures as one JSON object at the end, too")
    options = parser.parse_args()
    options.shape = options.shape or ["125M"]
    options.batch = options.batch or [32]
    options.batch_tokens = options.batch_tokens or [16384]
    options.sgpt_device = options.sgpt_device or options.device
    if options.texts < max(options.batch):
        parser.error(f"--texts: expected at least one batch of {max(options.batch)}, got {options.texts}")
    return options


def say(text):
    print(text, flush=True)


def distinct_texts(count, length, seed):
    """Words of random letters; each character is one token."""
    generator = random.Random(seed)
    texts = set()
    while len(texts) < count:
        text = ""
        while len(text) < length:
            text += "".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=generator.randint(2, 9))) + " "
        texts.add(text[: length - 1] + "z")
    return sorted(texts)


def make_checkpoint(shape, dtype, device, folder):
    """Writes random weights of a real shape, made on the device, with a tokenizer of one token per character.

    Returns the output head, which the checkpoint's encoder lacks.
    """
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    kind, values = SHAPES[shape]
    config = getattr(transformers, kind)(**values)
    torch.manual_seed(1)
    previous = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
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
    return model.lm_head.to(device)


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


class Stopped(BaseException):
    """SIGTERM: what was measured so far is still printed."""


def stop(signum, frame):
    raise Stopped


def within(seconds, body):
    """Runs something; TimeoutError when the time is over."""

    def expired(signum, frame):
        raise TimeoutError(f"more than {seconds:.0f} s")

    previous = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        return body()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


class Ours:
    """sgpt4j's side: a process that has opened the checkpoint, asked through its standard input."""

    def __init__(self, options, folder):
        command = shlex.split(options.sgpt) + [str(folder), options.sgpt_device, options.dtype]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.device = None

    def ready(self):
        if self.device is None:
            self.device = self.answer()["device"]
        return self

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"sgpt4j's side ended with exit code {self.process.wait()}")
        return json.loads(line)

    def ask(self, **request):
        self.ready()
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def rate(self, items, **request):
        times = self.ask(**request)
        return items * times["passes"] / times["seconds"]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Theirs:
    """sentence-transformers' side: one loaded checkpoint, and what is timed with it, by unit, name and batch."""

    def __init__(self, options, folder, head, texts, queries):
        import torch
        import transformers
        from sentence_transformers import SentenceTransformer

        try:
            from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
        except ImportError:  # before version 6
            from sentence_transformers.models import Pooling, Transformer
        transformer = Transformer(str(folder), max_seq_length=options.tokens)
        self.decoder = transformer.auto_model
        pooling = Pooling(self.decoder.config.hidden_size, pooling_mode="weightedmean")
        self.encoder = SentenceTransformer(modules=[transformer, pooling], device=options.device)
        self.encoder.to({"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[options.dtype])
        self.encoder.eval()
        self.usual = self.decoder.config._attn_implementation
        self.head = head
        self.options = options
        self.texts = texts
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.ids = self.tokens(tokenizer, texts)
        self.pairs = self.tokens(tokenizer, [text + " " + query for text, query in zip(texts, queries)])
        if self.ids.shape[1] != options.tokens:
            raise RuntimeError(f"texts: expected {options.tokens} tokens, got {self.ids.shape[1]}")
        self.query_tokens = self.pairs.shape[1] - options.tokens
        weights = torch.arange(1, options.tokens + 1, device=options.device, dtype=torch.float32)
        self.weights = (weights / weights.sum())[None, :, None]

    def tokens(self, tokenizer, texts):
        import torch

        return torch.tensor(tokenizer(texts)["input_ids"]).to(self.options.device)

    def vectors(self):
        return self.encoder.encode(self.texts, batch_size=self.options.batch[0], show_progress_bar=False)

    def attention(self, implementation):
        """Chooses one, unless it is chosen already."""
        if self.decoder.config._attn_implementation != implementation:
            self.decoder.set_attn_implementation(implementation)

    def kinds(self):
        """The implementations of attention that the family has, eager first."""
        if getattr(self.decoder, "_supports_sdpa", False):
            return ["eager", "sdpa"]
        say(f"sdpa left out: {type(self.decoder).__name__} has none in this version of transformers")
        return ["eager"]

    def forward(self, network, ids):
        import torch

        with torch.inference_mode():
            hidden = network(input_ids=ids, use_cache=False).last_hidden_state
            return (hidden.float() * self.weights).sum(1).cpu()

    def score(self, ids):
        import torch

        with torch.inference_mode():
            hidden = self.decoder(input_ids=ids[:, :-1], use_cache=False).last_hidden_state[:, -self.query_tokens :]
            logs = torch.log_softmax(self.head(hidden).float(), -1)
            return logs.gather(-1, ids[:, -self.query_tokens :, None]).sum((1, 2)).cpu()

    def passes(self, ids, batch, body):
        """All whole batches of different texts."""
        batches = [part for part in ids.split(batch) if len(part) == batch]
        for part in batches:
            body(part)
        return batch * len(batches)

    def contenders(self):
        """What is timed: (unit, name, batch) and a function that measures a rate."""
        options = self.options
        result = {}

        def add(unit, name, batch, implementation, ids, body):
            items = len(ids) // batch * batch * (options.tokens if unit == "tokens/s" else 1)

            def measure():
                self.attention(implementation)
                return rate(items, lambda: self.passes(ids, batch, body), options.device, options.seconds)

            result[unit, name, batch] = measure

        kinds = self.kinds()
        for batch in options.batch:
            for kind in kinds:
                add("tokens/s", f"forward pass, {kind}", batch, kind, self.ids,
                    lambda ids: self.forward(self.decoder, ids))  # fmt: skip
                add("pairs/s", f"language model, {kind}", batch, kind, self.pairs, self.score)
        self.attention(kinds[-1])
        for batch in options.batch:
            compiled = self.compile(batch)
            if compiled is None:
                break
            add("tokens/s", f"forward pass, torch.compile of {kinds[-1]}", batch, kinds[-1], self.ids,
                lambda ids, compiled=compiled: self.forward(compiled, ids))  # fmt: skip
        for batch in options.batch:
            def encode(batch=batch):
                self.attention(self.usual)
                return rate(
                    len(self.texts) * options.tokens,
                    lambda: self.encoder.encode(self.texts, batch_size=batch, show_progress_bar=False),
                    options.device,
                    options.seconds,
                )  # fmt: skip

            result["tokens/s", "encode, with its tokenizer", batch] = encode
        return result

    def compile(self, batch):
        """The compiled network, warm for this batch, or None. A failure is printed, not hidden."""
        import torch

        begin = time.perf_counter()
        try:
            compiled = torch.compile(self.decoder, dynamic=False, backend=self.options.compile_backend)
            within(self.options.compile_seconds, lambda: self.forward(compiled, self.ids[:batch]))
        except Exception as e:
            reason = (str(e).splitlines() or [""])[0]
            say(f"torch.compile, batch {batch}, left out: {type(e).__name__}: {reason}")
            return None
        say(f"torch.compile, batch {batch}: {time.perf_counter() - begin:.1f} s")
        return compiled


def min_cosine(ours, theirs):
    import numpy

    a, b = numpy.asarray(ours, dtype=numpy.float64), numpy.asarray(theirs, dtype=numpy.float64)
    if a.shape != b.shape:
        raise RuntimeError(f"embeddings: expected shape {b.shape}, got {a.shape}")
    return float(((a * b).sum(1) / numpy.linalg.norm(a, axis=1) / numpy.linalg.norm(b, axis=1)).min())


def table(shape, own, others):
    """Rows of what was measured in whole rounds; own and others have lists of rates by unit, name and batch."""
    say("\n| shape | unit | what | batch | rate | sgpt4j ÷ it |")
    say("| --- | --- | --- | --- | ---: | ---: |")
    for (unit, name, batch), values in own.items():
        say(f"| {shape} | {unit} | {name} | {batch:,} tokens | {statistics.median(values):,.0f} | |")
    for (unit, name, batch), values in others.items():
        best = [max(rates) for rates in zip(*(r for (u, _, _), r in own.items() if u == unit))]
        ratios = [a / b for a, b in zip(best, values)]
        if ratios:
            say(
                f"| {shape} | {unit} | {name} | {batch:,} texts | {statistics.median(values):,.0f} |"
                f" {statistics.median(ratios):.2f} ({min(ratios):.2f} – {max(ratios):.2f}) |"
            )


def compare(shape, options, figures):
    import torch

    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[options.dtype]
    texts = distinct_texts(options.texts, options.tokens, 1)
    query = distinct_texts(1, options.query_tokens, 2)[0]
    own, others = {}, {}
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=options.scratch) as temporary:
        folder = Path(temporary)
        head = make_checkpoint(shape, dtype, options.device, folder)
        say(f"{shape}: checkpoint written in {time.perf_counter() - begin:.1f} s")
        # It loads while the other side does.
        ours = Ours(options, folder)
        try:
            theirs = Theirs(options, folder, head, texts, [query] * len(texts))
            vectors = ours.ask(do="vectors", texts=texts, batch_tokens=options.batch_tokens[0])["vectors"]
            cosine = min_cosine(vectors, theirs.vectors())
            figures["min_cosine"] = cosine
            say(f"{shape}: both sides ready after {time.perf_counter() - begin:.1f} s; sgpt4j on {ours.device};"
                f" cosine of embeddings at least {cosine:.6f} in {len(texts)} texts")  # fmt: skip
            contenders = theirs.contenders()
            for number in range(options.rounds):
                rates = {}
                for tokens in options.batch_tokens:
                    rates["tokens/s", "sgpt4j, with its tokenizer", tokens] = ours.rate(
                        len(texts) * options.tokens,
                        do="embed", texts=texts, batch_tokens=tokens, seconds=options.seconds,
                    )  # fmt: skip
                    rates["pairs/s", "sgpt4j, with its tokenizer", tokens] = ours.rate(
                        len(texts), do="score", texts=texts, query=query, batch_tokens=tokens, seconds=options.seconds
                    )
                for key, value in rates.items():
                    own.setdefault(key, []).append(value)
                    say(f"{shape}, round {number + 1}: {key[1]}, {key[2]} tokens: {value:,.0f} {key[0]}")
                for key, measure in contenders.items():
                    value = measure()
                    others.setdefault(key, []).append(value)
                    say(f"{shape}, round {number + 1}: {key[1]}, batch {key[2]}: {value:,.0f} {key[0]}")
        finally:
            figures["rates"] = [
                {"unit": unit, "name": name, "batch": batch, "values": values}
                for (unit, name, batch), values in (own | others).items()
            ]
            table(shape, own, others)
            ours.close()
    return cosine >= MIN_COSINE


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, stop)
    import torch

    name = torch.cuda.get_device_name() if options.device.startswith("cuda") else options.device
    say(f"{name}, torch {torch.__version__}, {options.dtype}, {options.tokens} tokens per text\n")
    code, all_figures = 0, {"device": name, "torch": torch.__version__, "dtype": options.dtype, "shapes": {}}
    try:
        for shape in options.shape:
            figures = all_figures["shapes"][shape] = {}
            if not compare(shape, options, figures):
                say(f"{shape}: expected a cosine of at least {MIN_COSINE}, got {figures['min_cosine']:.6f}")
                code = 1
    except Stopped:
        say("stopped before the end")
        code = 143
    finally:
        if options.json:
            say(json.dumps(all_figures))
    return code


if __name__ == "__main__":
    sys.exit(main())
