package io.github.sgpt4j.tokenizer;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.text.WellFormed;
import io.github.sgpt4j.tokenizer.bpe.BpeModel;
import io.github.sgpt4j.tokenizer.bpe.WordEncoder;
import io.github.sgpt4j.tokenizer.collection.IntList;
import io.github.sgpt4j.tokenizer.step.Normalizer;
import io.github.sgpt4j.tokenizer.step.PreTokenizer;
import io.github.sgpt4j.tokenizer.vocabulary.AddedVocabulary;

/// Encodes one text after another, for one thread at a time. Buffers are kept for the next text.
final class Encoder {
    private final AddedVocabulary added;
    private final Normalizer normalizer;
    private final WordEncoder encoder;
    private final PreTokenizer.Words words;
    private final IntList ids = new IntList(64);
    private final AddedVocabulary.Sink parts = new Ids() {
        @Override
        public void text(String text, int start, int end, boolean first) {
            added.splitNormalized(normalizer.normalize(text.substring(start, end)), first, pieces);
        }
    };
    private final AddedVocabulary.Sink pieces = new Ids() {
        @Override
        public void text(String text, int start, int end, boolean first) {
            words.word(text, start, end, first);
        }
    };

    Encoder(AddedVocabulary added, Normalizer normalizer, PreTokenizer preTokenizer, BpeModel model) {
        this.added = added;
        this.normalizer = normalizer;
        encoder = new WordEncoder(model, ids);
        words = preTokenizer.into(encoder);
    }

    /// The ids of a text, without those of the post-processor; valid until the next text.
    ///
    /// @param cancellation of the call; if it is cancelled during encoding, this encoder must no longer
    ///     be used
    IntList encode(String text, Cancellation cancellation) {
        ids.truncate(0);
        encoder.begin(cancellation);
        added.split(WellFormed.repair(text), parts);
        return ids;
    }

    /// Collects the ids of added tokens.
    private abstract class Ids implements AddedVocabulary.Sink {
        @Override
        public void token(int id, String text, int start, int end) {
            ids.add(id);
        }
    }
}
