package io.github.sgpt4j.training.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateFolderTest {
    @TempDir
    Path temporary;

    private Path folder() {
        return temporary.resolve("checkpoint");
    }

    private static SavedState read(Path file) {
        return SavedState.read(file, Long.MAX_VALUE, SavedState.header(file).origin());
    }

    private static SavedState state(long step) {
        return SavedStateTest.state(step, OptionalDouble.empty());
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void olderStatesGoWhenANewOneIsThere() throws IOException {
        StateFolder states = new StateFolder(folder(), false);
        assertEquals(Optional.empty(), states.last());
        assertEquals(Optional.empty(), states.best());
        states.save(state(9));
        states.saveBest(state(9));
        states.save(state(10));
        states.save(state(10));
        assertEquals(List.of("best.safetensors", "step-10.safetensors"), names(folder()));
        assertEquals(Optional.of(folder().resolve("step-10.safetensors")), states.last());
        assertEquals(9, read(states.best().orElseThrow()).state().step());
    }

    @Test
    void allStatesStayIfAllAreKept() throws IOException {
        StateFolder states = new StateFolder(folder(), true);
        states.save(state(9));
        states.save(state(100));
        states.save(state(20));
        assertEquals(List.of("step-100.safetensors", "step-20.safetensors", "step-9.safetensors"), names(folder()));
        // The last by its number, not by its name.
        assertEquals(Optional.of(folder().resolve("step-100.safetensors")), states.last());
    }

    @Test
    void onlyWhatAKilledProcessWasWritingIsRemoved() throws IOException {
        StateFolder states = new StateFolder(folder(), false);
        states.removeUnfinished();
        states.save(state(3));
        for (String name : List.of(".step-4.safetensors.tmp", "..step-4.safetensors.tmp.00ff.tmp", "notes.txt")) {
            Files.writeString(folder().resolve(name), "x");
        }
        states.removeUnfinished();
        assertEquals(List.of("notes.txt", "step-3.safetensors"), names(folder()));
        assertEquals(3, read(states.last().orElseThrow()).state().step());
    }

    @Test
    void aStateThatCannotBeWrittenLeavesTheOneBefore() throws IOException {
        StateFolder states = new StateFolder(folder(), false);
        states.save(state(3));
        byte[] before = Files.readAllBytes(states.last().orElseThrow());
        // What is in the way cannot be replaced by a file.
        Files.createDirectories(folder().resolve("step-4.safetensors/in the way"));
        IOException failure = assertThrows(IOException.class, () -> states.save(state(4)));
        assertEquals(true, failure.getMessage().contains("step-4.safetensors"), failure::getMessage);
        assertArrayEquals(before, Files.readAllBytes(folder().resolve("step-3.safetensors")));
        assertEquals(List.of("step-3.safetensors", "step-4.safetensors"), names(folder()));
    }

    @Test
    void statesCanBePutIntoAnotherFolderToo() throws IOException {
        StateFolder states = new StateFolder(folder(), true);
        states.save(state(1));
        states.save(state(2));
        states.saveBest(state(1));
        Path target = temporary.resolve("target");
        states.putInto(target);
        assertEquals(List.of("step-1.safetensors", "step-2.safetensors"), names(target));
        assertEquals(2, read(target.resolve("step-2.safetensors")).state().step());
        assertEquals(3, names(folder()).size());
    }
}
