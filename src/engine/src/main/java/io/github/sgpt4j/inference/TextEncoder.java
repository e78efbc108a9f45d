package io.github.sgpt4j.inference;

import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.batch.PrefixOrder;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.batch.TokenBudget;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.tokenizer.CutSide;
import io.github.sgpt4j.tokenizer.EncodedText;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.stream.IntStream;

/// The bi-encoder: texts to vectors (SGPT-BE, Muennighoff 2022, section 4). Borrows all its parts.
///
/// A common prefix of texts in a batch, such as a prompt or the first words of a question, is computed
/// once; so are equal texts.
///
/// @param lanes the model
/// @param tokenizer its tokenizer
/// @param pooling turns states into a vector
/// @param includePrompt whether a prompt's tokens take part in pooling
/// @param steps the steps after pooling
/// @param maxLength maximum tokens of a text
public record TextEncoder(
        Lanes lanes,
        Tokenizer tokenizer,
        TokenPooling pooling,
        boolean includePrompt,
        EmbeddingSteps steps,
        int maxLength) {
    /// Number of texts that are tokenized and ordered together.
    private static final int WINDOW = 1024;

    public TextEncoder {
        int longest = pooling.longest();
        if (maxLength < 1 || maxLength > longest) {
            throw new IllegalArgumentException(
                    "maximal length %d: expected 1 to %d, the model's positions".formatted(maxLength, longest));
        }
    }

    /// On one device, with pooling modes only.
    public TextEncoder(
            Decoder decoder,
            Tokenizer tokenizer,
            List<PoolMode> modes,
            boolean includePrompt,
            EmbeddingSteps steps,
            int maxLength) {
        this(new Lanes(List.of(decoder)), tokenizer, modes, includePrompt, steps, maxLength);
    }

    private TextEncoder(
            Lanes lanes,
            Tokenizer tokenizer,
            List<PoolMode> modes,
            boolean includePrompt,
            EmbeddingSteps steps,
            int maxLength) {
        this(lanes, tokenizer, TokenPooling.of(lanes, modes), includePrompt, steps, maxLength);
    }

    /// Results of texts, in their order.
    ///
    /// @param vectors `[texts][steps.width()]`
    /// @param tokens ids of each text after cutting
    /// @param uncut ids of each text before cutting
    public record Embedded(float[][] vectors, int[] tokens, int[] uncut) {}

    /// How texts become ids.
    ///
    /// @param framing what is put around the texts
    /// @param maxLength maximum tokens of a text
    /// @param truncate whether longer texts are cut; otherwise they are refused
    public record Reading(TextFraming framing, int maxLength, boolean truncate) {
        /// Token ids of a text.
        ///
        /// @throws FormatException if it is too long and must not be cut
        public EncodedText encode(Tokenizer tokenizer, String text, Cancellation cancellation) {
            EncodedText encoded = framing.encode(tokenizer, text, maxLength, CutSide.STATED, cancellation);
            if (encoded.truncated() && !truncate) {
                throw new FormatException("text %s: expected at most %d tokens, got %d"
                        .formatted(Quoted.of(text), maxLength, encoded.uncut()));
            }
            return encoded;
        }
    }

    /// Texts to embed, each turned into ids when it is needed. Safe to share between threads.
    public interface Source {
        /// Number of texts.
        int size();

        /// The ids of text `index`.
        ///
        /// @throws FormatException if it is too long and must not be cut
        EncodedText encode(int index, Cancellation cancellation);

        /// Number of first ids of text `index` that pooling leaves out.
        int promptLength(int index);
    }

    /// Texts that are all read in one way.
    private record ReadTexts(List<String> texts, Reading reading, Tokenizer tokenizer, int prompt) implements Source {
        @Override
        public int size() {
            return texts.size();
        }

        @Override
        public EncodedText encode(int index, Cancellation cancellation) {
            return reading.encode(tokenizer, texts.get(index), cancellation);
        }

        @Override
        public int promptLength(int index) {
            return prompt;
        }
    }

    /// Texts to be embedded that are all read in one way.
    public Source source(List<String> texts, Reading reading) {
        return new ReadTexts(texts, reading, tokenizer, promptLength(reading.framing()));
    }

    /// Number of first ids of every text in this framing that pooling leaves out.
    public int promptLength(TextFraming framing) {
        return includePrompt ? 0 : framing.promptLength(tokenizer);
    }

    /// Embeds texts, cut to `maxLength`.
    ///
    /// @return `[texts][steps.width()]`, in the order of `texts`
    public float[][] embed(List<String> texts, TextFraming framing, int batchTokens, Progress progress) {
        return embed(source(texts, new Reading(framing, maxLength, true)), batchTokens, progress)
                .vectors();
    }

    /// Embeds texts, at most `batchTokens` tokens at a time on each device; a longer text is computed
    /// alone. The pooled vector of a text without any token is zero.
    ///
    /// @throws FormatException if a text is too long and must not be cut
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted, before or
    ///     during the call
    public Embedded embed(Source texts, int batchTokens, Progress progress) {
        Cancellation cancellation = Cancellation.ofThisThread("embedding texts");
        cancellation.check();
        return embed(texts, batchTokens, progress, cancellation);
    }

    /// As [#embed(Source, int, Progress)], for a call that may be cancelled.
    Embedded embed(Source texts, int batchTokens, Progress progress, Cancellation cancellation) {
        Embedded embedded = new Embedded(new float[texts.size()][], new int[texts.size()], new int[texts.size()]);
        Counter counter = new Counter(progress, cancellation, texts.size(), 0);
        if (texts.size() == 0) {
            counter.add(0);
        }
        TokenizedWindows.Encoding encoding = text -> texts.encode(text, cancellation);
        TokenBudget budget = lanes.budget(batchTokens);
        try (TokenizedWindows windows =
                new TokenizedWindows(texts.size(), WINDOW, ahead(budget), encoding, cancellation)) {
            lanes.run(
                    batches(windows, budget, embedded, counter),
                    batch -> batch.sequences().packed().tokens(),
                    budget,
                    cancellation,
                    decoder -> batch -> start(decoder, batch, texts, embedded.vectors(), counter, cancellation));
        }
        return new Embedded(steps.apply(embedded.vectors(), cancellation), embedded.tokens(), embedded.uncut());
    }

    /// Later texts are tokenized during the computation: on all processors if a GPU computes, on one
    /// additional thread if several CPU threads compute.
    private TokenizedWindows.Ahead ahead(TokenBudget budget) {
        if (lanes.any().batchesInFlight() > 1) {
            return TokenizedWindows.Ahead.ALL_PROCESSORS;
        }
        return budget.sides() > 1 ? TokenizedWindows.Ahead.ONE_THREAD : TokenizedWindows.Ahead.NOT;
    }

    /// Texts that go through the decoder together.
    ///
    /// @param texts index of each sequence's text
    private record TextBatch(SequenceBatch sequences, int[] texts) {}

    /// The batches of all windows, in order; texts without tokens get their result immediately.
    private Iterator<TextBatch> batches(
            TokenizedWindows windows, TokenBudget budget, Embedded embedded, Counter counter) {
        return new Iterator<>() {
            private Iterator<TextBatch> current = Collections.emptyIterator();

            @Override
            public boolean hasNext() {
                while (!current.hasNext()) {
                    Optional<TokenizedWindows.Window> window = windows.next();
                    if (window.isEmpty()) {
                        return false;
                    }
                    current = plan(window.get(), budget, embedded, counter);
                }
                return true;
            }

            @Override
            public TextBatch next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                return current.next();
            }
        };
    }

    private Iterator<TextBatch> plan(
            TokenizedWindows.Window window, TokenBudget budget, Embedded embedded, Counter counter) {
        List<int[]> sequences = new ArrayList<>();
        IntStream.Builder filled = IntStream.builder();
        for (int i = 0; i < window.texts().length; i++) {
            int text = window.first() + i;
            int[] ids = window.texts()[i].ids();
            embedded.tokens()[text] = ids.length;
            embedded.uncut()[text] = window.texts()[i].uncut();
            if (ids.length > 0) {
                sequences.add(ids);
                filled.add(text);
            } else {
                embedded.vectors()[text] = new float[pooling.width()];
            }
        }
        if (sequences.size() < window.texts().length) {
            counter.add(window.texts().length - sequences.size());
        }
        int[] texts = filled.build().toArray();
        PrefixOrder alike = PrefixOrder.of(sequences, lanes.any().worthSharing());
        int[] order = alike.order();
        List<int[]> ordered = Arrays.stream(order).mapToObj(sequences::get).toList();
        int[] lengths = ordered.stream().mapToInt(ids -> ids.length).toArray();
        List<Integer> ends = budget.cut(lengths, alike.shared());
        return IntStream.range(0, ends.size())
                .mapToObj(batch -> {
                    int from = batch == 0 ? 0 : ends.get(batch - 1);
                    int to = ends.get(batch);
                    int[] shared = Arrays.copyOfRange(alike.shared(), from, to);
                    return new TextBatch(
                            SequenceBatch.sharing(ordered.subList(from, to), shared),
                            Arrays.stream(order, from, to).map(i -> texts[i]).toArray());
                })
                .iterator();
    }

    private Lanes.Started start(
            Decoder decoder,
            TextBatch batch,
            Source texts,
            float[][] pooled,
            Counter counter,
            Cancellation cancellation) {
        SequenceBatch sequences = batch.sequences();
        int[] skip = new int[batch.texts().length];
        Arrays.setAll(
                skip,
                i -> Math.min(
                        texts.promptLength(batch.texts()[i]), sequences.rows().length(i)));
        Download download = pooling.start(decoder, sequences, skip, cancellation);
        return new Lanes.Started() {
            @Override
            public void finish() {
                float[][] vectors = Decoder.rows(download.get(), pooling.width());
                for (int i = 0; i < vectors.length; i++) {
                    pooled[batch.texts()[i]] = vectors[i];
                }
                counter.add(vectors.length);
            }

            @Override
            public void close() {
                download.close();
            }
        };
    }
}
