import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.nano.NanoModel;

/// Compares two texts. No build is needed, only the java of a JDK 25 or later. LIB is a folder of jars, for example lib/
/// of the distribution:
///
///     java --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED -cp 'LIB/*' Similarity.java TEXT TEXT
void main(String[] texts) {
    if (texts.length != 2) {
        throw new IllegalArgumentException("expected 2 texts, got " + texts.length);
    }
    try (BiEncoder encoder = NanoModel.open()) {
        float similarity = encoder.similarity(encoder.embedQuery(texts[0]), encoder.embedDocument(texts[1]));
        IO.println("%.4f".formatted(similarity));
    }
}
