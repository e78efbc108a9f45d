package example;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import org.junit.jupiter.api.Test;

@QuarkusTest
class SimilaritiesTest {
    @Inject
    Similarities similarities;

    @Test
    void tellsNearTextsFromOthers() {
        assertTrue(similarities.of("being afraid of insects", "a morbid fear of spiders")
                > similarities.of("being afraid of insects", "a small boat"));
    }
}
