package io.github.sgpt4j.scoring;

import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.TokenBudget;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;

/// The bi-encoder: texts to vectors (SGPT-BE, Muennighoff 2022, section 4). Borrows all its parts.
///
/// @param lanes the model
/// @param tokenizer its tokenizer
/// @param modes pooling modes, results concatenated
/// @param includePrompt whether a prompt's tokens take part in pooling
/// @param steps what is done after pooling
/// @param maxLength most tokens of a text
public record TextEncoder(
        Lanes lanes,
        Tokenizer tokenizer,
        List<PoolMode> modes,
        boolean includePrompt,
        EmbeddingSteps steps,
        int maxLength) {
    /// Texts that are tokenized together, and sorted by length together.
    private static final int WINDOW = 1024;

    public TextEncoder {
        modes = List.copyOf(modes);
        int positions = lanes.any().config().maxPositions();
        if (maxLength < 1 || maxLength > positions) {
            throw new IllegalArgumentException(
                    "maximal length %d: expected 1 to %d, the model's positions".formatted(maxLength, positions));
        }
    }

    /// On one device.
    public TextEncoder(
            Decoder decoder,
            Tokenizer tokenizer,
            List<PoolMode> modes,
            boolean includePrompt,
            EmbeddingSteps steps,
            int maxLength) {
        this(new Lanes(List.of(decoder)), tokenizer, modes, includePrompt, steps, maxLength);
    }

    /// Embeds texts, at most `batchTokens` tokens at a time on each device, but for a longer text alone. A text without
    /// any token gives the pooled vector zero.
    ///
    /// @return `[texts][steps.width()]`, in the order of `texts`
    public float[][] embed(List<String> texts, TextFraming framing, int batchTokens, Progress progress) {
        float[][] pooled = new float[texts.size()][];
        Counter counter = new Counter(progress, texts.size(), 0);
        if (texts.isEmpty()) {
            counter.add(0);
        }
        int promptLength = includePrompt ? 0 : framing.promptLength(tokenizer);
        TokenizedWindows.Encoding encoding = text -> framing.encode(tokenizer, text, maxLength);
        TokenBudget budget = lanes.budget(batchTokens);
        try (TokenizedWindows windows = new TokenizedWindows(texts, WINDOW, ahead(budget), encoding)) {
            lanes.run(
                    batches(windows, budget, pooled, counter),
                    batch -> batch.stream().mapToLong(s -> s.ids.length).sum(),
                    budget,
                    decoder -> batch -> start(decoder, batch, promptLength, pooled, counter));
        }
        return steps.apply(pooled);
    }

    /// Where something else computes meanwhile, later texts are tokenized beside it: on all processors beside a GPU, on
    /// one thread more beside others that compute.
    private TokenizedWindows.Ahead ahead(TokenBudget budget) {
        if (lanes.any().batchesInFlight() > 1) {
            return TokenizedWindows.Ahead.ALL_PROCESSORS;
        }
        return budget.sides() > 1 ? TokenizedWindows.Ahead.ONE_THREAD : TokenizedWindows.Ahead.NOT;
    }

    /// A text as it goes through the decoder.
    private record Sequence(int index, int[] ids) {}

    /// The batches of one window after the other; texts without tokens are answered at once.
    private Iterator<List<Sequence>> batches(
            TokenizedWindows windows, TokenBudget budget, float[][] pooled, Counter counter) {
        return new Iterator<>() {
            private Iterator<List<Sequence>> current = Collections.emptyIterator();

            @Override
            public boolean hasNext() {
                while (!current.hasNext()) {
                    Optional<TokenizedWindows.Window> window = windows.next();
                    if (window.isEmpty()) {
                        return false;
                    }
                    current = plan(window.get(), budget, pooled, counter).iterator();
                }
                return true;
            }

            @Override
            public List<Sequence> next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                return current.next();
            }
        };
    }

    private List<List<Sequence>> plan(
            TokenizedWindows.Window window, TokenBudget budget, float[][] pooled, Counter counter) {
        List<Sequence> filled = new ArrayList<>();
        for (int i = 0; i < window.ids().length; i++) {
            int[] ids = window.ids()[i];
            if (ids.length > 0) {
                filled.add(new Sequence(window.first() + i, ids));
            } else {
                pooled[window.first() + i] =
                        new float[modes.size() * lanes.any().width()];
            }
        }
        if (filled.size() < window.ids().length) {
            counter.add(window.ids().length - filled.size());
        }
        int[] lengths = filled.stream().mapToInt(s -> s.ids.length).toArray();
        return budget.plan(lengths).stream()
                .map(group -> Arrays.stream(group).mapToObj(filled::get).toList())
                .toList();
    }

    private Lanes.Started start(
            Decoder decoder, List<Sequence> batch, int promptLength, float[][] pooled, Counter counter) {
        int[] skip = batch.stream()
                .mapToInt(s -> Math.min(promptLength, s.ids.length))
                .toArray();
        List<int[]> sequences = batch.stream().map(Sequence::ids).toList();
        Download download = decoder.startPool(PackedBatch.of(sequences), skip, modes);
        return new Lanes.Started() {
            @Override
            public void finish() {
                float[][] vectors = Decoder.rows(download.get(), modes.size() * decoder.width());
                for (int i = 0; i < vectors.length; i++) {
                    pooled[batch.get(i).index] = vectors[i];
                }
                counter.add(batch.size());
            }

            @Override
            public void close() {
                download.close();
            }
        };
    }
}
