package io.github.sgpt4j.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.sgpt4j.server.Limits;
import io.github.sgpt4j.server.SgptServer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The same text has the same bytes, whatever shares its batch.
@Timeout(180)
class SharedBatchTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final int TEXTS = 60;

    private static List<String> texts() {
        Random random = new Random(7);
        String[] words = {"a", "fear", "of", "spiders", "bread", "made", "river", "the", "quickly", "\u00e9t\u00e9"};
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < TEXTS; i++) {
            StringBuilder text = new StringBuilder("text " + i);
            // Some share their beginning, some are much longer than others.
            int count = i % 7 == 0 ? 200 : 1 + random.nextInt(20);
            for (int word = 0; word < count; word++) {
                text.append(' ').append(words[random.nextInt(words.length)]);
            }
            texts.add(text.toString());
        }
        return texts;
    }

    private static List<String> vectors(RawConnection connection, List<String> texts) throws IOException {
        String body = JSON.writeValueAsString(Map.of("inputs", texts));
        RawConnection.Answer answer = connection.ask(RawConnection.post("/embed", body));
        assertEquals(200, answer.status(), answer.text());
        List<String> vectors = new ArrayList<>();
        for (JsonNode vector : JSON.readTree(answer.body())) {
            vectors.add(vector.toString());
        }
        return vectors;
    }

    @Test
    void theSameTextGivesTheSameBytes() throws Exception {
        List<String> texts = texts();
        try (SgptServer server = FaultServer.start(Limits.DEFAULT, 0);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<String> alone = new ArrayList<>();
            try (RawConnection connection = new RawConnection(server.address())) {
                for (String text : texts) {
                    alone.addAll(vectors(connection, List.of(text)));
                }
                assertEquals(alone, vectors(connection, texts));
            }
            List<Future<?>> clients = new ArrayList<>();
            for (int client = 0; client < 12; client++) {
                Random random = new Random(client);
                clients.add(threads.submit(() -> {
                    try (RawConnection connection = new RawConnection(server.address())) {
                        for (int round = 0; round < 4; round++) {
                            int[] chosen = random.ints(1 + random.nextInt(12), 0, TEXTS)
                                    .toArray();
                            List<String> some =
                                    Arrays.stream(chosen).mapToObj(texts::get).toList();
                            List<String> expected =
                                    Arrays.stream(chosen).mapToObj(alone::get).toList();
                            assertEquals(expected, vectors(connection, some));
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> client : clients) {
                client.get();
            }
        }
    }
}
