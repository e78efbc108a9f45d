package io.github.sgpt4j.tokenizer;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.tokenizer.bpe.BpeModel;
import io.github.sgpt4j.tokenizer.collection.Growth;
import io.github.sgpt4j.tokenizer.collection.IntList;
import io.github.sgpt4j.tokenizer.step.Normalizer;
import io.github.sgpt4j.tokenizer.step.PostProcessor;
import io.github.sgpt4j.tokenizer.step.PreTokenizer;
import io.github.sgpt4j.tokenizer.step.TokenDecoder;
import io.github.sgpt4j.tokenizer.vocabulary.AddedToken;
import io.github.sgpt4j.tokenizer.vocabulary.AddedVocabulary;
import io.github.sgpt4j.tokenizer.vocabulary.Vocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/// Text to token ids and back: byte-pair encoding exactly as the fast tokenizers of transformers 5 do it (Rust
/// `tokenizers` 0.23). Immutable and safe to share between threads.
///
/// Texts are sequences of Unicode code points: a surrogate without its partner counts as U+FFFD.
public final class Tokenizer {
    private final BpeModel model;
    private final AddedVocabulary added;
    private final Normalizer normalizer;
    private final PreTokenizer preTokenizer;
    private final PostProcessor postProcessor;
    private final TokenDecoder decoder;
    private final Settings settings;
    private final IdleEncoders idle = new IdleEncoders();

    /// Lengths and directions that the files state.
    ///
    /// @param truncationLength `truncation.max_length` of `tokenizer.json`
    /// @param modelMaxLength `model_max_length` of `tokenizer_config.json`
    /// @param truncateLeft whether texts that are too long lose tokens on the left
    /// @param notices what people should know about how the files are understood, one sentence each
    record Settings(
            OptionalInt truncationLength, OptionalInt modelMaxLength, boolean truncateLeft, List<String> notices) {}

    Tokenizer(
            BpeModel model,
            AddedVocabulary added,
            Normalizer normalizer,
            PreTokenizer preTokenizer,
            PostProcessor postProcessor,
            TokenDecoder decoder,
            Settings settings) {
        this.model = model;
        this.added = added;
        this.normalizer = normalizer;
        this.preTokenizer = preTokenizer;
        this.postProcessor = postProcessor;
        this.decoder = decoder;
        this.settings = settings;
    }

    /// Reads `tokenizer.json`, or else `vocab.json` with `merges.txt` as their class builds them, from a
    /// directory, and where they are there `tokenizer_config.json`, `special_tokens_map.json`,
    /// `added_tokens.json` and `config.json`, which names class or type of the model.
    ///
    /// @throws io.github.sgpt4j.error.FormatException if the files are missing or broken
    /// @throws io.github.sgpt4j.error.UnsupportedModelException if they ask for something that is not implemented
    public static Tokenizer load(Path directory) {
        return load(directory, new JsonFiles());
    }

    /// As [#load(Path)].
    ///
    /// @param json reads the small files
    public static Tokenizer load(Path directory, JsonFiles json) {
        return TokenizerReader.read(directory, json);
    }

    /// The same tokenizer with texts in lower case before every other normalization (`do_lower_case` of
    /// sentence-transformers).
    public Tokenizer lowerCasing() {
        Normalizer lower =
                new Normalizer.Sequence(List.of(new Normalizer.Lowercase(), normalizer), new Growth("lower case"));
        return new Tokenizer(model, added, lower, preTokenizer, postProcessor, decoder, settings);
    }

    /// What people should know about how the files are understood, one sentence each.
    public List<String> notices() {
        return settings.notices();
    }

    /// The ids of a text, all of them: a truncation that the file states is not applied.
    ///
    /// @param addSpecialTokens whether the special tokens of the post-processor are put around the text. Special
    ///     tokens that are written out in the text are recognised either way, unless `split_special_tokens` says
    ///     otherwise
    public int[] encode(String text, boolean addSpecialTokens) {
        return encode(text, addSpecialTokens, Cancellation.NEVER);
    }

    /// As [#encode(String, boolean)], for a call that may be cancelled meanwhile.
    ///
    /// @throws io.github.sgpt4j.error.CancelledException if it is
    public int[] encode(String text, boolean addSpecialTokens, Cancellation cancellation) {
        return encodeCounted(text, addSpecialTokens, Integer.MAX_VALUE, 0, cancellation)
                .ids();
    }

    /// The ids of a text, at most `maxLength` of them: the text loses tokens on the right (on the left where the file
    /// says so), special tokens stay.
    ///
    /// @param maxLength at least the number of special tokens that are added
    /// @throws IllegalArgumentException if `maxLength` is less than that
    public int[] encode(String text, boolean addSpecialTokens, int maxLength) {
        return encodeCounted(text, addSpecialTokens, maxLength, 0, Cancellation.NEVER)
                .ids();
    }

    /// The ids of a text with special tokens, cut like those of [#encode], and how many they were
    /// before.
    ///
    /// @param maxLength at least the number of special tokens
    /// @param cancellation of the call
    /// @throws IllegalArgumentException if `maxLength` is less than that
    /// @throws io.github.sgpt4j.error.CancelledException if the call is cancelled meanwhile
    public EncodedText encodeCounted(String text, int maxLength, Cancellation cancellation) {
        return encodeCounted(text, true, maxLength, 0, cancellation);
    }

    /// The ids of a text with special tokens, cut like those of [#encode], between two more ids, and
    /// how many they were before they were cut.
    ///
    /// @param maxLength at least the number of special tokens and 2
    /// @param cancellation of the call
    /// @throws IllegalArgumentException if `maxLength` is less than that
    /// @throws io.github.sgpt4j.error.CancelledException if the call is cancelled meanwhile
    public EncodedText encodeBetween(int before, String text, int after, int maxLength, Cancellation cancellation) {
        EncodedText encoded = encodeCounted(text, true, maxLength, 1, cancellation);
        int[] ids = encoded.ids();
        ids[0] = before;
        ids[ids.length - 1] = after;
        return encoded;
    }

    /// @param margin how many places before and after all ids are left free
    private EncodedText encodeCounted(
            String text, boolean addSpecialTokens, int maxLength, int margin, Cancellation cancellation) {
        int others = 2 * margin + (addSpecialTokens ? postProcessor.added() : 0);
        if (maxLength < others) {
            throw new IllegalArgumentException(
                    "maxLength must be at least %d, the number of ids that are put around the text, got %d"
                            .formatted(others, maxLength));
        }
        Objects.requireNonNull(text, "text");
        Encoder waiting = idle.take();
        Encoder encoder = waiting != null ? waiting : new Encoder(added, normalizer, preTokenizer, model);
        IntList ids = encoder.encode(text, cancellation);
        int kept = Math.min(ids.size(), maxLength - others);
        int from = settings.truncateLeft() ? ids.size() - kept : 0;
        int[] result = postProcessor.process(ids.values(), from, from + kept, addSpecialTokens, margin);
        EncodedText encoded = new EncodedText(result, result.length + ids.size() - kept);
        idle.give(encoder, text);
        return encoded;
    }

    /// The text that ids stand for. Bytes that form no valid UTF-8 become U+FFFD; ids without a token are passed over.
    ///
    /// @param skipSpecialTokens whether special tokens are left out
    /// @throws IllegalArgumentException if an id is negative
    public String decode(int[] ids, boolean skipSpecialTokens) {
        List<String> tokens = new ArrayList<>(ids.length);
        for (int id : ids) {
            if (id < 0) {
                throw new IllegalArgumentException("token ids must not be negative, got " + id);
            }
            String addedText = added.text(id);
            String token = addedText != null ? addedText : model.vocabulary().token(id);
            if (token != null && !(skipSpecialTokens && added.isSpecial(token))) {
                tokens.add(token);
            }
        }
        return String.join("", decoder.decode(tokens));
    }

    /// The highest id + 1, added tokens included. Every id that [#encode] returns is lower, unless the post-processor
    /// adds one that no token has.
    public int vocabularySize() {
        return Math.max(model.vocabulary().limit(), added.highestId() + 1);
    }

    /// The highest id + 1 of the vocabulary alone, without added tokens: ordinary text has no others.
    public int baseVocabularySize() {
        return model.vocabulary().limit();
    }

    /// The id of a token as the vocabulary writes it: in byte-level vocabularies "Ġa" is the token of " a".
    public OptionalInt tokenId(String token) {
        Integer id = added.id(token);
        int found = id != null ? id : model.vocabulary().id(token);
        return found == Vocabulary.ABSENT ? OptionalInt.empty() : OptionalInt.of(found);
    }

    /// Whether a token is one that decoding may skip.
    public boolean isSpecial(int id) {
        AddedToken token = added.token(id);
        return token != null && added.isSpecial(token.content());
    }

    /// Number of special tokens that [#encode] adds to a text.
    public int specialTokensAdded() {
        return postProcessor.added();
    }

    /// The length that `tokenizer.json` asks texts to be cut to, special tokens included.
    public OptionalInt truncationLength() {
        return settings.truncationLength();
    }

    /// The greatest length that `tokenizer_config.json` states, special tokens included.
    public OptionalInt modelMaxLength() {
        return settings.modelMaxLength();
    }

    /// One line about kind and size.
    public String describe() {
        return "%sBPE, %d tokens (%d added), %d merges"
                .formatted(
                        model.isByteLevel() ? "byte-level " : "",
                        vocabularySize(),
                        added.size(),
                        model.merges().size());
    }
}
