#!/usr/bin/env python3
"""Compares sgpt4j with sentence-transformers on one device, alternately, on the same checkpoint with random weights.

Needs torch, transformers and sentence-transformers (nothing else in this project does):

    jmh/gpu/compare.py --shape 125M --shape 5.8B --dtype bf16 --device cuda --batch 32 --batch 128

Texts are different, of equal length in tokens, so there is no padding. Each side opens the checkpoint once, in the type
that it computes in. sentence-transformers is timed in these ways: the forward pass with pooling on tokens that are
already on the device, with eager attention and with PyTorch's fused one (sdpa) where the family has it; `encode` as
users call it, including the tokenizer; and at the end, in rounds of its own, the forward pass with torch.compile, if
that is done within its time. sgpt4j embeds texts as users do, including its tokenizer and the copy back. Scoring is
compared with a forward pass of the language model over text and query, with log-softmax only for the query's rows.

Before anything is timed, embeddings are compared: the exit code is 1 if a text's two vectors have a cosine below 0.999.
Prints each measurement, then a Markdown table: medians over the rounds, and what the fastest of sgpt4j's settings
reaches in the same round, divided by the other's rate: median, then the range. With --results, both are kept in files
that are written again after each measurement, so that a run that is stopped leaves what it had.
"""

import argparse
import inspect
import json
import os
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
    "tiny-125M": ("GPTNeoConfig", dict(hidden_size=64, num_layers=2, num_heads=4, attention_types=[[["global", "local"], 1]])),
    "tiny-GPT2": ("GPT2Config", dict(n_embd=64, n_layer=2, n_head=4)),
    "tiny-5.8B": ("GPTJConfig", dict(n_embd=64, n_layer=2, n_head=4, rotary_dim=8)),
    "GPT2": ("GPT2Config", dict()),
    "125M": ("GPTNeoConfig", dict(hidden_size=768, num_layers=12, num_heads=12, attention_types=[[["global", "local"], 6]])),
    "1.3B": ("GPTNeoConfig", dict(hidden_size=2048, num_layers=24, num_heads=16, attention_types=[[["global", "local"], 12]])),
    "2.7B": ("GPTNeoConfig", dict(hidden_size=2560, num_layers=32, num_heads=20, attention_types=[[["global", "local"], 16]])),
    "5.8B": ("GPTJConfig", dict()),
}
WAYS = ["eager", "sdpa", "encode", "compile"]
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
    parser.add_argument("--ways", default=",".join(WAYS), help="which of %(default)s are timed (default: all)")
    parser.add_argument("--compile-seconds", type=float, default=300, help="torch.compile is left out after that time")
    parser.add_argument("--compile-backend", default="inductor", help="of torch.compile (default: %(default)s)")
    parser.add_argument("--scratch", help="folder for the checkpoint (default: the system's)")
    parser.add_argument("--results", help="keep figures and table in files of this name with .json and .md behind")
    options = parser.parse_args()
    options.shape = options.shape or ["125M"]
    options.batch = options.batch or [32]
    options.batch_tokens = options.batch_tokens or [16384]
    options.sgpt_device = options.sgpt_device or options.device
    options.ways = options.ways.split(",")
    for way in options.ways:
        if way not in WAYS:
            parser.error(f"--ways: expected some of {','.join(WAYS)}, got {way}")
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
    """Items per second; nothing is done to warm up."""
    count, start = 0, time.perf_counter()
    while count == 0 or time.perf_counter() - start < seconds:
        body()
        synchronize(device)
        count += 1
    return items * count / (time.perf_counter() - start)


class Stopped(BaseException):
    """SIGTERM: what was measured so far is still printed."""


def stop(signum, frame):
    # Whoever ends a group of processes may ask twice; once is enough.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


class Expired(BaseException):
    """Time is over. No Exception, which a compiler might take for a fault of its own."""


def within(seconds, body):
    """Runs something; Expired when the time is over."""

    def expired(signum, frame):
        raise Expired(f"more than {seconds:.0f} s")

    previous = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        return body()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


class Ours:
    """sgpt4j's side: a process that has opened the checkpoint, asked through its standard input."""

    def __init__(self, options, folder, texts, query):
        self.options = options
        self.texts = texts
        self.query = query
        command = shlex.split(options.sgpt) + [str(folder), options.sgpt_device, options.dtype]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.device = None

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"sgpt4j's side ended with exit code {self.process.wait()}")
        return json.loads(line)

    def ask(self, **request):
        if self.device is None:
            self.device = self.answer()["device"]
        self.process.stdin.write(json.dumps(request | {"texts": self.texts}) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def vectors(self):
        return self.ask(do="vectors", batch_tokens=self.options.batch_tokens[0])["vectors"]

    def contenders(self):
        """Its settings: (unit, name, tokens of a batch) and a function that measures texts per second."""

        def timed(**request):
            def measure():
                times = self.ask(seconds=self.options.seconds, **request)
                return len(self.texts) * times["passes"] / times["seconds"]

            return measure

        result = {}
        for tokens in self.options.batch_tokens:
            name = "sgpt4j, with its tokenizer"
            result["tokens/s", name, tokens] = timed(do="embed", batch_tokens=tokens)
            result["pairs/s", name, tokens] = timed(do="score", query=self.query, batch_tokens=tokens)
        return result

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(2)
        except (OSError, subprocess.TimeoutExpired):
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
        # Loaded in the type that is computed in: no copy in 32 bits, which a large model may have no room for.
        name = "model_kwargs" if "model_kwargs" in inspect.signature(Transformer).parameters else "model_args"
        loading = {name: {"dtype": dtype_of(options)}}
        transformer = Transformer(str(folder), max_seq_length=options.tokens, **loading)
        self.decoder = transformer.auto_model
        if self.decoder.dtype != dtype_of(options):
            raise RuntimeError(f"sentence-transformers: expected {dtype_of(options)}, got {self.decoder.dtype}")
        pooling = Pooling(self.decoder.config.hidden_size, pooling_mode="weightedmean")
        self.encoder = SentenceTransformer(modules=[transformer, pooling], device=options.device)
        self.encoder.eval()
        self.usual = self.decoder.config._attn_implementation
        # The implementations of attention that the family has.
        self.kinds = ["eager"]
        if getattr(self.decoder, "_supports_sdpa", False):
            self.kinds.append("sdpa")
        else:
            say(f"sdpa left out: {type(self.decoder).__name__} has none in this version of transformers")
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
        return self.encode(self.options.batch[0])

    def encode(self, batch):
        return self.encoder.encode(self.texts, batch_size=batch, show_progress_bar=False)

    def attention(self, implementation):
        """Chooses one, unless it is chosen already."""
        if self.decoder.config._attn_implementation != implementation:
            self.decoder.set_attn_implementation(implementation)

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

    def batches(self, ids, batch):
        """All whole batches of different texts."""
        return [part for part in ids.split(batch) if len(part) == batch]

    def timed(self, items, implementation, body):
        """A function that measures a rate; when it is first called, it warms up."""
        state = {"warm": False}

        def measure():
            self.attention(implementation)
            if not state["warm"]:
                body()
                synchronize(self.options.device)
                state["warm"] = True
            return rate(items, body, self.options.device, self.options.seconds)

        return measure

    def passes(self, ids, batch, implementation, forward):
        """A function that measures texts (of ids) per second in batches."""
        parts = self.batches(ids, batch)

        def body():
            for part in parts:
                forward(part)

        return self.timed(batch * len(parts), implementation, body)

    def contenders(self):
        """What is timed: (unit, name, batch) and a function that measures texts per second. Not torch.compile."""
        ways, result = self.options.ways, {}
        kinds = [kind for kind in self.kinds if kind in ways]
        for batch in self.options.batch:
            for kind in kinds:
                result["tokens/s", f"forward pass, {kind}", batch] = self.passes(
                    self.ids, batch, kind, lambda ids: self.forward(self.decoder, ids)
                )
                result["pairs/s", f"language model, {kind}", batch] = self.passes(self.pairs, batch, kind, self.score)
        if "encode" in ways:
            for batch in self.options.batch:
                result["tokens/s", "encode, with its tokenizer", batch] = self.timed(
                    len(self.texts), self.usual, lambda batch=batch: self.encode(batch)
                )
        return result

    def compiled(self):
        """As contenders, with torch.compile. Compiling ends when its time is over, for all batches together."""
        result = {}
        kind = self.kinds[-1]
        self.attention(kind)
        end = time.perf_counter() + self.options.compile_seconds
        # The largest batch first: it is the fastest.
        for batch in sorted(self.options.batch, reverse=True):
            network = self.compile(batch, end - time.perf_counter())
            if network is not None:
                result["tokens/s", f"forward pass, torch.compile of {kind}", batch] = self.passes(
                    self.ids, batch, kind, lambda ids, network=network: self.forward(network, ids)
                )
        return result

    def compile(self, batch, seconds):
        """The compiled network, warm for this batch, or None. A failure is printed, not hidden."""
        import torch

        begin = time.perf_counter()
        try:
            compiled = torch.compile(self.decoder, dynamic=False, backend=self.options.compile_backend)
            within(seconds, lambda: self.forward(compiled, self.ids[:batch]))
        except (Exception, Expired) as e:
            say(f"torch.compile, batch {batch}, left out: {reason_of(e)}")
            return None
        say(f"torch.compile, batch {batch}: {time.perf_counter() - begin:.1f} s")
        return compiled


def reason_of(e):
    return f"{type(e).__name__}: {(str(e).splitlines() or [''])[0]}"


def dtype_of(options):
    import torch

    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[options.dtype]


def min_cosine(ours, theirs):
    import numpy

    a, b = numpy.asarray(ours, dtype=numpy.float64), numpy.asarray(theirs, dtype=numpy.float64)
    if a.shape != b.shape:
        raise RuntimeError(f"embeddings: expected shape {b.shape}, got {a.shape}")
    cosines = (a * b).sum(1) / numpy.linalg.norm(a, axis=1) / numpy.linalg.norm(b, axis=1)
    # JSON has no NaN.
    return float(numpy.nan_to_num(cosines, nan=0).min())


class Results:
    """What was measured, and the files that say so, which are written again after each measurement."""

    def __init__(self, options, device):
        import torch

        self.prefix = options.results
        self.figures = {"device": device, "torch": torch.__version__, "dtype": options.dtype, "shapes": {}}
        self.turns = []

    def of_shape(self, shape):
        return self.figures["shapes"].setdefault(shape, {"rates": [], "left_out": []})

    def keep(self):
        if self.prefix:
            for ending, text in (".json", json.dumps(self.figures)), (".md", "\n".join(self.table())):
                new = Path(self.prefix + ending + ".new")
                new.write_text(text + "\n", encoding="utf-8")
                new.replace(self.prefix + ending)

    def table(self):
        """Lines of Markdown, or none before something is measured."""
        rows = [row for turns in self.turns for row in turns.table()]
        head = ["| shape | unit | what | batch | rate | sgpt4j ÷ it |", "| --- | --- | --- | ---: | ---: | ---: |"]
        return head + rows if rows else []


class Turns:
    """Rounds in which sgpt4j's settings and others are measured one after another."""

    def __init__(self, shape, results):
        self.shape = shape
        self.results = results
        self.own = {}
        self.others = {}
        results.turns.append(self)

    def run(self, options, ours, contenders):
        """Own settings of those units in which there are others. A contender that fails is left out from then on."""
        figures = self.results.of_shape(self.shape)
        units = {unit for unit, _, _ in contenders}
        own = {key: measure for key, measure in ours.contenders().items() if key[0] in units}
        contenders = dict(contenders)
        for number in range(options.rounds):
            for key, measure in list(own.items()) + list(contenders.items()):
                unit, name, batch = key
                try:
                    value = measure() * (options.tokens if unit == "tokens/s" else 1)
                except Exception as e:
                    if key in own:
                        raise
                    say(f"{self.shape}: {name}, batch {batch}, left out: {reason_of(e)}")
                    figures["left_out"].append({"name": name, "batch": batch, "reason": reason_of(e)})
                    del contenders[key]
                    continue
                rates = self.own if key in own else self.others
                if key not in rates:
                    rates[key] = []
                    figures["rates"].append({"unit": unit, "name": name, "batch": batch, "values": rates[key]})
                rates[key].append(value)
                say(f"{self.shape}, round {number + 1}: {name}, {batch} {'tokens' if key in own else 'texts'}:"
                    f" {value:,.0f} {unit}")  # fmt: skip
                self.results.keep()

    def table(self):
        """Rows; own and others have lists of rates by unit, name and batch."""
        rows = []
        for (unit, name, batch), values in self.own.items():
            rows.append(f"| {self.shape} | {unit} | {name} | {batch:,} tokens | {statistics.median(values):,.0f} | |")
        for (unit, name, batch), values in self.others.items():
            best = [max(rates) for rates in zip(*(r for (u, _, _), r in self.own.items() if u == unit))]
            ratios = [a / b for a, b in zip(best, values)]
            rows.append(
                f"| {self.shape} | {unit} | {name} | {batch:,} texts | {statistics.median(values):,.0f} |"
                f" {statistics.median(ratios):.2f} ({min(ratios):.2f} – {max(ratios):.2f}) |"
            )
        return rows


def compare(shape, options, results):
    """Whether embeddings agree. What was measured is in the results, whatever happens."""
    texts = distinct_texts(options.texts, options.tokens, 1)
    query = distinct_texts(1, options.query_tokens, 2)[0]
    figures = results.of_shape(shape)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=options.scratch) as temporary:
        folder = Path(temporary)
        head = make_checkpoint(shape, dtype_of(options), options.device, folder)
        figures["checkpoint_seconds"] = time.perf_counter() - begin
        say(f"{shape}: checkpoint written in {figures['checkpoint_seconds']:.1f} s")
        # It loads while the other side does.
        ours = Ours(options, folder, texts, query)
        try:
            theirs = Theirs(options, folder, head, texts, [query] * len(texts))
            cosine = figures["min_cosine"] = min_cosine(ours.vectors(), theirs.vectors())
            figures["ready_seconds"] = time.perf_counter() - begin
            say(f"{shape}: both sides ready after {figures['ready_seconds']:.1f} s; sgpt4j on {ours.device};"
                f" cosine of embeddings at least {cosine:.6f} in {len(texts)} texts")  # fmt: skip
            results.keep()
            contenders = theirs.contenders()
            if contenders:
                Turns(shape, results).run(options, ours, contenders)
            if "compile" in options.ways:
                contenders = theirs.compiled()
                if contenders:
                    Turns(shape, results).run(options, ours, contenders)
        finally:
            ours.close()
    return cosine >= MIN_COSINE


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, stop)
    # Everything is made here: a library that looks for a file on a hub is mistaken, and may wait for it.
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    import torch

    name = torch.cuda.get_device_name() if options.device.startswith("cuda") else options.device
    say(f"{name}, torch {torch.__version__}, {options.dtype}, {options.tokens} tokens per text\n")
    code, results = 0, Results(options, name)
    try:
        for shape in options.shape:
            if not compare(shape, options, results):
                say(f"{shape}: expected a cosine of at least {MIN_COSINE},"
                    f" got {results.of_shape(shape)['min_cosine']:.6f}")  # fmt: skip
                code = 1
    except Stopped:
        say("stopped before the end")
        code = 143
    finally:
        results.keep()
        say("\n" + "\n".join(results.table()))
    return code


if __name__ == "__main__":
    sys.exit(main())
