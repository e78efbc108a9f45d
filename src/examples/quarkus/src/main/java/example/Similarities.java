package example;

import io.github.sgpt4j.BiEncoder;
import jakarta.inject.Singleton;

/// Says how near two texts are in meaning.
@Singleton
public class Similarities {
    private final BiEncoder encoder;

    Similarities(BiEncoder encoder) {
        this.encoder = encoder;
    }

    public float of(String query, String text) {
        return encoder.similarity(encoder.embedQuery(query), encoder.embedDocument(text));
    }
}
