package io.github.sgpt4j.cli.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.server.ServerOptions;
import io.github.sgpt4j.server.SgptServer;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.models.ServedModels;
import io.github.sgpt4j.server.search.SearchCollection;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Documents that a server gets late are closed, whether or not it still takes them.
class DemoCollectionTest {
    /// Counts how often it is closed.
    private static final class Counting implements SearchCollection {
        private int closed;

        @Override
        public String name() {
            return "nothing";
        }

        @Override
        public int size() {
            return 0;
        }

        @Override
        public Optional<BiEncoder> encoder() {
            return Optional.empty();
        }

        @Override
        public List<Hit> search(String query, float[] vector, SearchOptions options) {
            return List.of();
        }

        @Override
        public List<String> notices(Filter filter) {
            return List.of();
        }

        @Override
        public void close() {
            closed++;
        }
    }

    private static SgptServer server() throws IOException {
        SgptServer server = SgptServer.start(ServerOptions.DEFAULT.withAddress("127.0.0.1", 0));
        Model model = Model.open(NanoModel.directory());
        BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
        server.awaitDocuments();
        server.serve(new ServedModels(
                List.of(new ServedModel("a", List.of(), model, Optional.of(encoder), Optional.empty()))));
        return server;
    }

    @Test
    void theServerClosesWhatItGot() throws IOException {
        Counting collection = new Counting();
        try (SgptServer server = server()) {
            DemoCollection.give(server, collection);
            assertEquals(0, collection.closed);
        }
        assertEquals(1, collection.closed);
    }

    @Test
    void aServerThatWasClosedGetsNone() throws IOException {
        Counting collection = new Counting();
        SgptServer server = server();
        server.close();
        assertThrows(IllegalStateException.class, () -> DemoCollection.give(server, collection));
        assertEquals(1, collection.closed);
    }
}
