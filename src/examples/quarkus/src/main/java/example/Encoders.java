package example;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.nano.NanoModel;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/// One encoder for the application, closed with it. It is safe to share between requests.
@Singleton
public class Encoders {
    @Produces
    @Singleton
    BiEncoder encoder() {
        return NanoModel.open();
    }

    void close(@Disposes BiEncoder encoder) {
        encoder.close();
    }
}
