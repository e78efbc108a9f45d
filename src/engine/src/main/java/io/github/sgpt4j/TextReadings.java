package io.github.sgpt4j;

import io.github.sgpt4j.checkpoint.Checkpoint;
import io.github.sgpt4j.checkpoint.KnownLayout;
import io.github.sgpt4j.checkpoint.LeftOut;
import io.github.sgpt4j.checkpoint.SentenceModules;
import io.github.sgpt4j.checkpoint.TransformerSettings;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.inference.TextEncoder;
import io.github.sgpt4j.inference.TextFraming;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.Collectors;

/// How an encoder turns texts of each kind into tokens, and how many it had to cut.
final class TextReadings {
    private final Map<TextKind, TextEncoder.Reading> readings;
    private final Function<String, TextFraming> prompted;
    private final Map<TextKind, Tally> tallies = new EnumMap<>(TextKind.class);

    /// Counts texts. Safe to share between threads.
    static final class Tally {
        private Truncation soFar;

        /// @param maxLength the length that texts are cut to
        Tally(int maxLength) {
            soFar = new Truncation(0, 0, 0, maxLength);
        }

        synchronized void add(int[] tokens, int[] uncut) {
            soFar = soFar.plus(tokens, uncut);
        }

        synchronized Truncation soFar() {
            return soFar;
        }
    }

    /// @param prompted how texts with a prompt are framed
    private TextReadings(Map<TextKind, TextEncoder.Reading> readings, Function<String, TextFraming> prompted) {
        this.readings = readings;
        this.prompted = prompted;
        readings.forEach((kind, reading) -> tallies.put(kind, new Tally(reading.maxLength())));
    }

    /// Counts tokenized texts that were computed, each as its kind.
    void count(List<TokenizedText> texts) {
        tallies.forEach((kind, tally) -> {
            List<TokenizedText> ofKind =
                    texts.stream().filter(text -> text.kind() == kind).toList();
            tally.add(
                    ofKind.stream().mapToInt(TokenizedText::tokens).toArray(),
                    ofKind.stream().mapToInt(TokenizedText::uncutTokens).toArray());
        });
    }

    static TextReadings of(Model model, BiEncoderOptions options) {
        Map<TextKind, TextFraming> framings = framings(model, options);
        int minLength = framings.values().stream()
                .mapToInt(f -> f.minLength(model.tokenizer()))
                .max()
                .orElse(0);
        Map<TextKind, TextEncoder.Reading> readings = new EnumMap<>(TextKind.class);
        framings.forEach((kind, framing) -> readings.put(
                kind,
                new TextEncoder.Reading(framing, maxLength(model, options, kind, minLength), options.truncate())));
        return new TextReadings(readings, prompt -> prompted(model, prompt));
    }

    TextEncoder.Reading of(TextKind kind) {
        return Objects.requireNonNull(readings.get(kind), "kind");
    }

    Tally tally(TextKind kind) {
        return Objects.requireNonNull(tallies.get(kind), "kind");
    }

    /// Maximum tokens of a text.
    ///
    /// @param minLength tokens that always need room: special tokens and brackets
    private static int maxLength(Model model, BiEncoderOptions options, TextKind kind, int minLength) {
        if (options.maxLength().isPresent()) {
            int asked = options.maxLength().getAsInt();
            if (asked < minLength) {
                throw new IllegalArgumentException(
                        "maximal length %d: expected at least %d, for special tokens and brackets"
                                .formatted(asked, minLength));
            }
            return asked;
        }
        TransformerSettings input = model.modules().input();
        int length = model.maxLength(
                switch (kind) {
                    case TEXT -> OptionalInt.empty();
                    case QUERY -> input.queryLength();
                    case DOCUMENT -> input.documentLength();
                });
        if (length < minLength) {
            throw new FormatException(
                    "%s: expected a length (max_seq_length, model_max_length, positions) of at least %d, for special tokens and brackets, got %d"
                            .formatted(model.modules().transformer(), minLength, length));
        }
        return length;
    }

    /// As for [TextKind#TEXT], with this prompt in front.
    TextEncoder.Reading withPrompt(String prompt) {
        TextEncoder.Reading plain = of(TextKind.TEXT);
        return new TextEncoder.Reading(prompted.apply(prompt), plain.maxLength(), plain.truncate());
    }

    private static Map<TextKind, TextFraming> framings(Model model, BiEncoderOptions options) {
        Map<TextKind, TextFraming> framings = new EnumMap<>(ofCheckpoint(model, options));
        for (TextKind kind : TextKind.values()) {
            options.prompt(kind)
                    .or(() -> options.promptName(kind).map(name -> named(model, name)))
                    .ifPresent(prompt -> framings.put(kind, prompted(model, prompt)));
        }
        return framings;
    }

    /// The text of the model's prompt of this name.
    private static String named(Model model, String name) {
        Map<String, String> prompts = model.modules().prompts();
        String text = prompts.get(name);
        if (text == null) {
            throw new FormatException("%s: expected the name of one of the model's prompts, %s, got %s"
                    .formatted(
                            model.directory(),
                            prompts.isEmpty()
                                    ? "but it has none"
                                    : prompts.keySet().stream().map(Quoted::of).collect(Collectors.joining(", ")),
                            Quoted.of(name)));
        }
        return text;
    }

    /// A text with a prompt, and what the model's own code puts behind every text.
    ///
    /// @param prompt empty for none
    private static TextFraming prompted(Model model, String prompt) {
        Checkpoint checkpoint = model.checkpoint();
        return TextFraming.prompt(
                prompt,
                checkpoint.known().map(KnownLayout::end).orElse(""),
                checkpoint.knownPooling().map(KnownLayout::leftOut).orElse(LeftOut.PROMPT));
    }

    private static Map<TextKind, TextFraming> ofCheckpoint(Model model, BiEncoderOptions options) {
        Tokenizer tokenizer = model.tokenizer();
        if (options.specb().orElse(model.checkpoint().specb().used())) {
            return Map.of(
                    TextKind.TEXT, new TextFraming.Plain(),
                    TextKind.QUERY, TextFraming.queryBrackets(tokenizer),
                    TextKind.DOCUMENT, TextFraming.documentBrackets(tokenizer));
        }
        SentenceModules modules = model.modules();
        return Map.of(
                TextKind.TEXT,
                prompted(model, prompt(modules, modules.defaultPrompt().stream().toList())),
                TextKind.QUERY,
                prompted(model, prompt(modules, List.of("query"))),
                TextKind.DOCUMENT,
                prompted(model, prompt(modules, List.of("document", "passage", "corpus"))));
    }

    /// The first of the named prompts that the checkpoint has, otherwise empty. As in
    /// sentence-transformers, the default prompt is for [TextKind#TEXT] only.
    private static String prompt(SentenceModules modules, List<String> names) {
        for (String name : names) {
            String text = modules.prompts().get(name);
            if (text != null) {
                return text;
            }
        }
        return "";
    }
}
