package io.github.sgpt4j.cli.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What comes up in use is said once, whenever it comes.
class NoticesInUseTest {
    @Test
    void eachSentenceIsSaidOnce() {
        List<String> notices = new ArrayList<>();
        List<String> said = new ArrayList<>();
        NoticesInUse telling = new NoticesInUse(() -> List.copyOf(notices), said::add);
        telling.tell();
        assertEquals(List.of(), said);
        notices.addAll(List.of("a", "b", "a"));
        telling.tell();
        telling.tell();
        notices.add("c");
        telling.tell();
        assertEquals(List.of("a", "b", "c"), said);
    }
}
