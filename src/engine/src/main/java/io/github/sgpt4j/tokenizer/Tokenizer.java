package io.github.sgpt4j.tokenizer;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.UnsupportedModelException;
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
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/// Text to token ids and back: byte-pair encoding exactly as in the fast tokenizers of transformers 5
/// (Rust `tokenizers` 0.23). Immutable and safe to share between threads.
///
/// Texts are sequences of Unicode code points: an unpaired surrogate counts as U+FFFD.
public final class Tokenizer {
    private final BpeModel model;
    private final AddedVocabulary added;
    private final Normalizer normalizer;
    private final PreTokenizer preTokenizer;
    private final PostProcessor postProcessor;
    private final TokenDecoder decoder;
    private final Settings settings;
    private final IdleEncoders idle = new IdleEncoders();

    /// Settings stated in the files.
    ///
    /// @param truncationLength `truncation.max_length` of `tokenizer.json`
    /// @param modelMaxLength `model_max_length` of `tokenizer_config.json`
    /// @param truncateLeft whether texts that are too long are cut on the left
    /// @param notices what users should know about how the files are interpreted, one sentence each
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

    /// Reads a tokenizer from a directory: `tokenizer.json`, or else `vocab.json` with `merges.txt` as
    /// the tokenizer's class in transformers does. Also reads, if present, `tokenizer_config.json`,
    /// `special_tokens_map.json`, `added_tokens.json` and `config.json`, which names the tokenizer's
    /// class or the model's type.
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

    /// The same tokenizer, but texts are lower-cased before any other normalization (`do_lower_case` of
    /// sentence-transformers).
    public Tokenizer lowerCasing() {
        Normalizer lower =
                new Normalizer.Sequence(List.of(new Normalizer.Lowercase(), normalizer), new Growth("lower case"));
        return new Tokenizer(model, added, lower, preTokenizer, postProcessor, decoder, settings);
    }

    /// What users should know about how the files are interpreted, one sentence each.
    public List<String> notices() {
        return settings.notices();
    }

    /// All ids of a text; a truncation stated in the file is not applied.
    ///
    /// @param addSpecialTokens whether to add the special tokens of the post-processor. Special tokens
    ///     that are written out in the text are recognised either way, unless `split_special_tokens`
    ///     says otherwise
    public int[] encode(String text, boolean addSpecialTokens) {
        return encode(text, addSpecialTokens, Cancellation.NEVER);
    }

    /// As [#encode(String, boolean)], for a call that may be cancelled.
    ///
    /// @throws io.github.sgpt4j.error.CancelledException if the call is cancelled
    public int[] encode(String text, boolean addSpecialTokens, Cancellation cancellation) {
        return encodeCounted(text, addSpecialTokens, Integer.MAX_VALUE, 0, CutSide.STATED, cancellation)
                .ids();
    }

    /// The ids of a text, at most `maxLength`: the text is cut on the right (on the left if the file
    /// says so), special tokens stay.
    ///
    /// @param maxLength at least the number of special tokens that are added
    /// @throws IllegalArgumentException if `maxLength` is less than that
    public int[] encode(String text, boolean addSpecialTokens, int maxLength) {
        return encodeCounted(text, addSpecialTokens, maxLength, 0, CutSide.STATED, Cancellation.NEVER)
                .ids();
    }

    /// The ids of a text with special tokens, which stay when the text is cut, and their number before
    /// cutting.
    ///
    /// @param maxLength at least the number of special tokens
    /// @param side where the text is cut
    /// @param cancellation of the call
    /// @throws IllegalArgumentException if `maxLength` is less than that
    /// @throws io.github.sgpt4j.error.CancelledException if the call is cancelled
    public EncodedText encodeCounted(String text, int maxLength, CutSide side, Cancellation cancellation) {
        return encodeCounted(text, true, maxLength, 0, side, cancellation);
    }

    /// The ids of a pair of texts with the special tokens of a pair, which stay when the texts are cut:
    /// the longer one first, as `longest_first` of the reference does.
    ///
    /// @param maxLength at least the number of special tokens
    /// @param cancellation of the call
    /// @throws IllegalArgumentException if `maxLength` is less than that
    /// @throws UnsupportedModelException if the files do not state a usable template for pairs
    /// @throws io.github.sgpt4j.error.CancelledException if the call is cancelled
    public EncodedText encodePair(String text, String other, int maxLength, Cancellation cancellation) {
        if (postProcessor.pair().isEmpty()) {
            throw new UnsupportedModelException(
                    "tokenizer.json: the template of a pair of texts (post_processor) is not supported: expected \"A\" and \"B\" once each, in this order");
        }
        int added = specialTokensAddedToPair();
        if (maxLength < added) {
            throw new IllegalArgumentException(
                    "maxLength: expected at least %d, the number of ids around the texts, got %d"
                            .formatted(added, maxLength));
        }
        int[] a = encode(text, false, cancellation);
        int[] b = encode(other, false, cancellation);
        int uncut = Math.addExact(added, Math.addExact(a.length, b.length));
        int room = maxLength - added;
        if (uncut > maxLength) {
            // As in the reference, which cuts each text to the whole length before it compares them: the shorter text
            // stays whole if it takes up at most half of the room.
            boolean firstIsLonger = Math.min(a.length, maxLength) > Math.min(b.length, maxLength);
            int shorter = Math.min(Math.min(a.length, b.length), room / 2);
            int first = firstIsLonger ? room - shorter : shorter;
            a = cut(a, first, CutSide.STATED).ids();
            b = cut(b, room - first, CutSide.STATED).ids();
        }
        return new EncodedText(postProcessor.processPair(a, b), uncut);
    }

    /// Number of special tokens that [#encodePair] adds.
    public int specialTokensAddedToPair() {
        return postProcessor.addedToPair();
    }

    /// As [#encodeCounted], between two more ids, which stay when the text is cut.
    ///
    /// @param maxLength at least the number of special tokens plus 2
    /// @param side where the text is cut
    /// @param cancellation of the call
    /// @throws IllegalArgumentException if `maxLength` is less than that
    /// @throws io.github.sgpt4j.error.CancelledException if the call is cancelled
    public EncodedText encodeBetween(
            int before, String text, int after, int maxLength, CutSide side, Cancellation cancellation) {
        EncodedText encoded = encodeCounted(text, true, maxLength, 1, side, cancellation);
        int[] ids = encoded.ids();
        ids[0] = before;
        ids[ids.length - 1] = after;
        return encoded;
    }

    /// Ids without anything added, cut, and their number before cutting.
    ///
    /// @param ids copied
    /// @param maxLength at least 0
    /// @param side where they are cut
    public EncodedText cut(int[] ids, int maxLength, CutSide side) {
        int kept = Math.min(ids.length, maxLength);
        int from = side.from(ids.length, kept, settings.truncateLeft());
        return new EncodedText(Arrays.copyOfRange(ids, from, from + kept), ids.length);
    }

    /// @param margin number of free places before and after all ids
    private EncodedText encodeCounted(
            String text, boolean addSpecialTokens, int maxLength, int margin, CutSide side, Cancellation cancellation) {
        int others = 2 * margin + (addSpecialTokens ? postProcessor.added() : 0);
        if (maxLength < others) {
            throw new IllegalArgumentException(
                    "maxLength: expected at least %d, the number of ids around the text, got %d"
                            .formatted(others, maxLength));
        }
        Objects.requireNonNull(text, "text");
        Encoder waiting = idle.take();
        Encoder encoder = waiting != null ? waiting : new Encoder(added, normalizer, preTokenizer, model);
        IntList ids = encoder.encode(text, cancellation);
        int kept = Math.min(ids.size(), maxLength - others);
        int from = side.from(ids.size(), kept, settings.truncateLeft());
        int[] result = postProcessor.process(ids.values(), from, from + kept, addSpecialTokens, margin);
        EncodedText encoded = new EncodedText(result, result.length + ids.size() - kept);
        idle.give(encoder, text);
        return encoded;
    }

    /// All ids of a text as [#encode(String, boolean)] gives them, with the places that the reference
    /// calls offsets. Slower, since it does without the cache of words.
    public TokenPlaces encodePlaced(String text, boolean addSpecialTokens) {
        Objects.requireNonNull(text, "text");
        return new PlacedEncoder(added, normalizer, preTokenizer, model, Cancellation.NEVER)
                .encode(text, postProcessor, addSpecialTokens);
    }

    /// A token in the notation of the files, not normalized; empty if no token has this id.
    public String content(int id) {
        AddedToken token = added.token(id);
        String content = token != null ? token.content() : model.vocabulary().token(id);
        return content == null ? "" : content;
    }

    /// The text of ids. Invalid UTF-8 becomes U+FFFD; ids without a token are ignored.
    ///
    /// @param skipSpecialTokens whether to leave out special tokens
    /// @throws IllegalArgumentException if an id is negative
    public String decode(int[] ids, boolean skipSpecialTokens) {
        List<String> tokens = new ArrayList<>(ids.length);
        for (int id : ids) {
            if (id < 0) {
                throw new IllegalArgumentException("token ids: expected at least 0, got " + id);
            }
            String addedText = added.text(id);
            String token = addedText != null ? addedText : model.vocabulary().token(id);
            if (token != null && !(skipSpecialTokens && added.isSpecial(token))) {
                tokens.add(token);
            }
        }
        return String.join("", decoder.decode(tokens));
    }

    /// The highest id + 1, including added tokens. Every id that [#encode] returns is lower, unless the
    /// post-processor adds an id without a token.
    public int vocabularySize() {
        return Math.max(model.vocabulary().limit(), added.highestId() + 1);
    }

    /// The highest id + 1 of the vocabulary without added tokens; ids of ordinary text are lower.
    public int baseVocabularySize() {
        return model.vocabulary().limit();
    }

    /// The id of a token in the vocabulary's notation: in byte-level vocabularies "Ġa" is the token of
    /// " a".
    public OptionalInt tokenId(String token) {
        Integer id = added.id(token);
        int found = id != null ? id : model.vocabulary().id(token);
        return found == Vocabulary.ABSENT ? OptionalInt.empty() : OptionalInt.of(found);
    }

    /// Whether an id belongs to a token.
    public boolean isToken(int id) {
        return id >= 0 && (added.text(id) != null || model.vocabulary().token(id) != null);
    }

    /// Whether decoding may skip a token.
    public boolean isSpecial(int id) {
        AddedToken token = added.token(id);
        return token != null && added.isSpecial(token.content());
    }

    /// Number of special tokens that [#encode] adds to a text.
    public int specialTokensAdded() {
        return postProcessor.added();
    }

    /// The length that `tokenizer.json` cuts texts to, including special tokens.
    public OptionalInt truncationLength() {
        return settings.truncationLength();
    }

    /// The maximum length stated in `tokenizer_config.json`, including special tokens.
    public OptionalInt modelMaxLength() {
        return settings.modelMaxLength();
    }

    /// Kind and size in one line.
    public String describe() {
        return "%sBPE, %d tokens (%d added), %d merges"
                .formatted(
                        model.isByteLevel() ? "byte-level " : "",
                        vocabularySize(),
                        added.size(),
                        model.merges().size());
    }
}
