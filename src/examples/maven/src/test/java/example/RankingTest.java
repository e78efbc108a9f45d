package example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.nano.NanoModel;
import java.util.List;
import org.junit.jupiter.api.Test;

class RankingTest {
    @Test
    void putsTheNearestTextFirst() {
        try (BiEncoder encoder = NanoModel.open()) {
            List<String> ranked = Ranking.nearestFirst(
                    encoder, "being afraid of insects", List.of("a small boat", "a morbid fear of spiders"));
            assertEquals(List.of("a morbid fear of spiders", "a small boat"), ranked);
        }
    }
}
