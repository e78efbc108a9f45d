package io.github.sgpt4j.inference;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.reference.ReferenceBackend;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.tokenizer.Tokenizer;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/// A golden checkpoint over the reference backend, whose counters show what was computed.
///
/// @param backend the backend that counts
/// @param wrapped the backend that the decoder uses
record ReferenceModel(
        JsonNode expected,
        Tokenizer tokenizer,
        Weights weights,
        ReferenceBackend backend,
        Backend wrapped,
        Decoder decoder)
        implements AutoCloseable {
    static ReferenceModel open(String name) {
        return open(name, b -> b);
    }

    static ReferenceModel open(String name, UnaryOperator<Backend> wrapper) {
        Path directory = Goldens.model(name);
        Weights weights = Weights.open(directory);
        ReferenceBackend backend = new ReferenceBackend();
        Backend wrapped = wrapper.apply(backend);
        return new ReferenceModel(
                Goldens.expected(name),
                Tokenizer.load(directory),
                weights,
                backend,
                wrapped,
                Decoder.load(directory, weights, wrapped));
    }

    int maxLength() {
        return expected.get("max_length").intValue();
    }

    PairScorer scorer() {
        return new PairScorer(decoder, tokenizer, PromptTemplate.DEFAULT, maxLength());
    }

    int instruction() {
        return tokenizer.encode(PromptTemplate.DEFAULT.before(), false).length;
    }

    int[] context(String document) {
        return tokenizer.encode(PromptTemplate.DEFAULT.context(document), false);
    }

    int tokens(String text) {
        return tokenizer.encode(text, false).length;
    }

    @Override
    public void close() {
        backend.close();
        weights.close();
    }
}
