package io.github.sgpt4j.tokenizer;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.text.WellFormed;
import io.github.sgpt4j.tokenizer.bpe.BpeModel;
import io.github.sgpt4j.tokenizer.bpe.WordEncoder;
import io.github.sgpt4j.tokenizer.collection.IntList;
import io.github.sgpt4j.tokenizer.pattern.CharacterClasses;
import io.github.sgpt4j.tokenizer.step.ByteLevelAlphabet;
import io.github.sgpt4j.tokenizer.step.Normalizer;
import io.github.sgpt4j.tokenizer.step.PlacedText;
import io.github.sgpt4j.tokenizer.step.PostProcessor;
import io.github.sgpt4j.tokenizer.step.PreTokenizer;
import io.github.sgpt4j.tokenizer.vocabulary.AddedVocabulary;
import java.util.Objects;

/// Encodes one text as [Encoder] does, and keeps the places of tokens. A token has the range from the
/// start of its first character to the end of its last one, where several tokens may share a
/// character.
final class PlacedEncoder {
    private static final char SPACE_BYTE = ByteLevelAlphabet.charOf(' ');

    private final AddedVocabulary added;
    private final Normalizer normalizer;
    private final BpeModel model;
    private final PreTokenizer.PlacedWords words;

    private final IntList ids = new IntList(64);
    /// Of the ids of the current word and those before; see [WordEncoder].
    private final IntList lengths = new IntList(64);
    private final IntList starts = new IntList(64);
    private final IntList ends = new IntList(64);
    /// White space at the ends of tokens, in characters.
    private final IntList leading = new IntList(64);
    private final IntList trailing = new IntList(64);
    private final WordEncoder encoder;

    PlacedEncoder(
            AddedVocabulary added,
            Normalizer normalizer,
            PreTokenizer preTokenizer,
            BpeModel model,
            Cancellation cancellation) {
        this.added = added;
        this.normalizer = normalizer;
        this.model = model;
        encoder = new WordEncoder(model, ids, lengths);
        encoder.begin(cancellation);
        words = preTokenizer.intoPlaced(this::word);
    }

    /// The ids of a text with their places; used once.
    TokenPlaces encode(String text, PostProcessor postProcessor, boolean addSpecialTokens) {
        added.split(WellFormed.repair(text), new Parts());
        int[] from = starts.toArray();
        int[] to = ends.toArray();
        for (PostProcessor.Trim trim : postProcessor.trims()) {
            trim.apply(from, to, leading.values(), trailing.values());
        }
        return arranged(postProcessor, addSpecialTokens, ids.toArray(), from, to);
    }

    private static TokenPlaces arranged(
            PostProcessor postProcessor, boolean addSpecialTokens, int[] ids, int[] starts, int[] ends) {
        IntList allIds = new IntList(ids.length);
        IntList allStarts = new IntList(ids.length);
        IntList allEnds = new IntList(ids.length);
        for (PostProcessor.Part part : postProcessor.parts()) {
            if (part.text()) {
                allIds.addAll(ids);
                allStarts.addAll(starts);
                allEnds.addAll(ends);
            } else if (addSpecialTokens) {
                for (int id : part.ids()) {
                    allIds.add(id);
                    allStarts.add(TokenPlaces.NONE);
                    allEnds.add(TokenPlaces.NONE);
                }
            }
        }
        return new TokenPlaces(allIds.toArray(), allStarts.toArray(), allEnds.toArray());
    }

    private void word(PlacedText text, int start, int end, boolean first) {
        int from = ids.size();
        encoder.word(text.text(), start, end, first);
        int at = start;
        int atEnd = length(text, at);
        int done = 0;
        for (int token = from; token < ids.size(); token++) {
            while (atEnd <= done) {
                at += Character.charCount(text.text().codePointAt(at));
                atEnd += length(text, at);
            }
            int tokenStart = text.start(at);
            done += lengths.get(token);
            while (atEnd < done) {
                at += Character.charCount(text.text().codePointAt(at));
                atEnd += length(text, at);
            }
            place(Objects.requireNonNull(model.vocabulary().token(ids.get(token))), tokenStart, text.end(at));
        }
    }

    private int length(PlacedText text, int index) {
        return encoder.notationLength(text.text().codePointAt(index));
    }

    private void token(int id, String text, int start, int end) {
        ids.add(id);
        lengths.add(0);
        place(text, start, end);
    }

    private void place(String token, int start, int end) {
        starts.add(start);
        ends.add(end);
        int left = 0;
        while (left < token.length() && isSpace(token.charAt(left))) {
            left++;
        }
        int right = token.length();
        while (right > 0 && isSpace(token.charAt(right - 1))) {
            right--;
        }
        leading.add(left);
        trailing.add(token.length() - right);
    }

    private static boolean isSpace(char c) {
        return c == SPACE_BYTE || CharacterClasses.isWhitespace(c);
    }

    /// Receives the parts of the original text.
    private final class Parts implements AddedVocabulary.Sink {
        private int index;
        private int codePoint;

        @Override
        public void text(String text, int start, int end, boolean first) {
            PlacedText part = PlacedText.original(text.substring(start, end), codePoints(text, start));
            PlacedText normalized = normalizer.normalize(part);
            added.splitNormalized(normalized.text(), first, new Pieces(normalized));
        }

        @Override
        public void token(int id, String text, int start, int end) {
            PlacedEncoder.this.token(id, text.substring(start, end), codePoints(text, start), codePoints(text, end));
        }

        /// Code points before an index. It may decrease: an added token that includes the white space after
        /// it can overlap the next one.
        private int codePoints(String text, int to) {
            codePoint += to >= index ? text.codePointCount(index, to) : -text.codePointCount(to, index);
            index = to;
            return codePoint;
        }
    }

    /// Receives the pieces of a part after normalization.
    private final class Pieces implements AddedVocabulary.Sink {
        private final PlacedText part;

        Pieces(PlacedText part) {
            this.part = part;
        }

        @Override
        public void text(String text, int start, int end, boolean first) {
            words.word(part, start, end, first);
        }

        @Override
        public void token(int id, String text, int start, int end) {
            PlacedEncoder.this.token(id, text.substring(start, end), part.start(start), part.end(end - 1));
        }
    }
}
