package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.sgpt4j.weightstools.ModelsListener;
import io.github.sgpt4j.weightstools.store.ConversionRecord;
import io.github.sgpt4j.weightstools.store.ConvertedModels;
import io.github.sgpt4j.weightstools.store.FileStamp;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The cache of converted checkpoints when files change or are damaged.
class ConvertedModelsTest {
    private static final String NAME = "gptneo-be-bin";
    private static final Path PICKLED = Path.of("../../weights-tools/src/test/resources/checkpoints", NAME);

    @TempDir
    Path folder;

    private final List<String> said = new ArrayList<>();
    private Path source;
    private Path pickles;
    private Path cache;
    private byte[] weights;

    @BeforeEach
    void convertOnce() throws IOException {
        source = Files.createDirectory(folder.resolve(NAME));
        pickles = source.resolve("pytorch_model.bin");
        for (String file : List.of("config.json", "tokenizer.json", "tokenizer_config.json")) {
            if (Files.exists(Cli.GOLDENS.resolve(NAME).resolve(file))) {
                Files.copy(Cli.GOLDENS.resolve(NAME).resolve(file), source.resolve(file));
            }
        }
        Files.copy(PICKLED.resolve("pytorch_model.bin"), pickles);
        cache = folder.resolve("cache");
        weights = Files.readAllBytes(readable().resolve("model.safetensors"));
        said.clear();
    }

    private ConvertedModels models(Consumer<String> heard) {
        ModelsListener listener = new ModelsListener() {
            @Override
            public void notice(String sentence) {
                heard.accept(sentence);
            }
        };
        return new ConvertedModels(listener, cache);
    }

    private Path readable() throws IOException {
        return models(said::add).readable(source);
    }

    private void checkWeights(Path converted) throws IOException {
        assertArrayEquals(weights, Files.readAllBytes(converted.resolve("model.safetensors")));
        assertTrue(Files.exists(converted.resolve("config.json")));
    }

    /// Changes a byte and restores the file's modification time.
    private static void overwrite(Path file, long at) throws IOException {
        FileTime time = Files.getLastModifiedTime(file);
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.seek(at);
            int value = access.read();
            access.seek(at);
            access.write(value ^ 1);
        }
        Files.setLastModifiedTime(file, time);
    }

    private long conversions() throws IOException {
        try (Stream<Path> files = Files.walk(cache)) {
            return files.filter(file -> file.endsWith("model.safetensors")).count();
        }
    }

    @Test
    void aCheckpointOverwrittenWithEqualSizeAndTimeIsConvertedAgain() throws IOException {
        // Inside the largest tensor.
        overwrite(pickles, 1000);
        Path converted = readable();
        assertEquals(1, said.size(), said.toString());
        assertTrue(said.getFirst().contains("converting them once"), said.toString());
        assertFalse(java.util.Arrays.equals(weights, Files.readAllBytes(converted.resolve("model.safetensors"))));
        assertEquals(1, conversions(), "the older conversion is removed");
        said.clear();
        assertEquals(converted, readable());
        assertEquals(List.of(), said);
    }

    @Test
    void anotherFileOfEqualSizeAndTimeInTheSamePlaceIsConvertedAgain() throws IOException {
        assumeTrue(source.getFileSystem().supportedFileAttributeViews().contains("unix"), "needs inode numbers");
        Path copy = folder.resolve("copy");
        Files.copy(pickles, copy, StandardCopyOption.COPY_ATTRIBUTES);
        Files.move(copy, pickles, StandardCopyOption.REPLACE_EXISTING);
        checkWeights(readable());
        assertEquals(1, said.size(), said.toString());
    }

    /// The next run reports the damage and converts again; the one after that prints nothing.
    private void recovers(Path damaged, String what) throws IOException {
        Path converted = readable();
        assertEquals(damaged, converted);
        assertEquals(1, said.size(), said.toString());
        assertTrue(said.getFirst().startsWith("%s is damaged (%s".formatted(converted, what)), said.toString());
        assertTrue(said.getFirst().endsWith("): converting %s again".formatted(source.toRealPath())));
        checkWeights(converted);
        said.clear();
        assertEquals(converted, readable());
        assertEquals(List.of(), said);
    }

    @Test
    void damagedConversionsAreMadeAgain() throws IOException {
        Path converted = readable();
        Path file = converted.resolve("model.safetensors");
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.setLength(weights.length / 2);
        }
        recovers(converted, "model.safetensors does not have the content");
        overwrite(file, weights.length * 2L / 3);
        recovers(converted, "model.safetensors does not have the content");
        Files.write(file, new byte[0]);
        recovers(converted, "model.safetensors does not have the content");
        Files.delete(file);
        recovers(converted, "model.safetensors is missing");
        Files.delete(file);
        Files.createDirectory(file);
        recovers(converted, "model.safetensors does not have the content");
        Files.writeString(converted.resolve("config.json"), "{");
        recovers(converted, "config.json does not have the content");
        for (String name : List.of("config.json", "tokenizer.json", "model.safetensors")) {
            Files.deleteIfExists(converted.resolve(name));
        }
        recovers(converted, "");
    }

    @Test
    void damagedRecordsOfConversionsAreMadeAgain() throws IOException {
        Path converted = readable();
        Path record = ConversionRecord.file(converted);
        String text = Files.readString(record);
        for (String bad : List.of("", "x", text.replace("conversion 1", "conversion 2"), "\0\n" + text)) {
            Files.writeString(record, bad);
            recovers(converted, record.getFileName() + " is not a list of files");
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int length = 0; length < bytes.length - 1; length += 29) {
            Files.write(record, java.util.Arrays.copyOf(bytes, length));
            checkWeights(readable());
            said.clear();
            assertEquals(converted, readable());
            assertEquals(List.of(), said);
        }
        Files.delete(record);
        checkWeights(readable());
        assertTrue(said.getFirst().contains("converting them once"), "the conversion was never finished");
        said.clear();
        Files.delete(record);
        Files.createDirectory(record);
        recovers(converted, "");
    }

    @Test
    void whatOnlyLooksChangedIsNotConvertedAgain() throws IOException {
        Path converted = readable();
        Path record = ConversionRecord.file(converted);
        String before = Files.readString(record);
        Files.setLastModifiedTime(converted.resolve("model.safetensors"), FileTime.fromMillis(1000));
        Files.writeString(converted.resolve("note"), "mine");
        assertEquals(converted, readable());
        assertEquals(List.of(), said);
        assertFalse(before.equals(Files.readString(record)), "contents are not read each time");
        assertTrue(Files.exists(converted.resolve("note")));
    }

    @Test
    void filesInThePlaceOfFoldersAndTheOtherWayRoundAreRemoved() throws IOException {
        Path converted = readable();
        Path entry = converted.getParent().getParent();
        Path lock = entry.resolve("lock");
        Files.delete(lock);
        Files.createDirectories(lock.resolve("x"));
        Files.delete(converted.resolve("config.json"));
        recovers(converted, "config.json is missing");

        Path state = converted.getParent();
        io.github.sgpt4j.weightstools.LockedFolder.remove(state);
        Files.writeString(state, "x");
        checkWeights(readable());
        io.github.sgpt4j.weightstools.LockedFolder.remove(entry);
        Files.writeString(entry, "x");
        checkWeights(readable());
        said.clear();
        checkWeights(readable());
        assertEquals(List.of(), said);
    }

    @Test
    void foldersThatMayNotBeReadAreMadeAgain() throws IOException {
        Path converted = readable();
        for (Path directory :
                List.of(converted, converted.getParent(), converted.getParent().getParent())) {
            PosixFileAttributeView view = Files.getFileAttributeView(directory, PosixFileAttributeView.class);
            assumeFalse(view == null, "needs a file system with permissions");
            view.setPermissions(PosixFilePermissions.fromString("---------"));
            boolean bound = !Files.isReadable(directory);
            if (!bound) {
                view.setPermissions(PosixFilePermissions.fromString("rwx------"));
            }
            assumeTrue(bound, "needs a user whom permissions bind");
            checkWeights(readable());
            assertEquals(1, said.size(), said.toString());
            said.clear();
            checkWeights(readable());
            assertEquals(List.of(), said);
        }
    }

    @Test
    void aCheckpointThatChangesWhileItIsConvertedIsRefused() throws IOException {
        Files.setLastModifiedTime(source.resolve("config.json"), FileTime.fromMillis(1000));
        ConvertedModels models = models(line -> {
            try {
                overwrite(pickles, 1000);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        String message =
                assertThrows(IOException.class, () -> models.readable(source)).getMessage();
        assertEquals(
                source.toRealPath() + ": expected files that do not change, but they changed while being converted",
                message);
        assertEquals(0, conversions());
        overwrite(pickles, 1000);
        checkWeights(readable());
    }

    /// Damage without a trace, as by a failing disk: the record is changed to match the file's new times.
    private void damageUnseen(Path converted) throws IOException {
        Path file = converted.resolve("model.safetensors");
        String before = FileStamp.of(file).toString();
        overwrite(file, 3);
        Path record = ConversionRecord.file(converted);
        String text = Files.readString(record);
        assertTrue(text.contains(before), text);
        Files.writeString(record, text.replace(before, FileStamp.of(file).toString()));
        assertEquals(converted, readable());
        assertEquals(List.of(), said);
    }

    @Test
    void aConversionThatCannotBeOpenedIsReadAndMadeAgain() throws IOException {
        Map<String, String> environment =
                Map.of("XDG_CACHE_HOME", folder.resolve("xdg").toString());
        String[] embed = {"embed", "-m", source.toString(), "text"};
        Cli.Result first = Cli.runWithEnvironment(environment, embed);
        cache = folder.resolve("xdg/sgpt4j/converted");
        Path converted = readable();
        damageUnseen(converted);
        Cli.Result second = Cli.runWithEnvironment(environment, embed);
        assertEquals(first.text(), second.text(), second.err());
        assertEquals(0, second.code());
        assertEquals(
                "sgpt: %s is damaged (model.safetensors does not have the content that was written): converting %s again\n"
                        .formatted(converted, source.toRealPath()),
                second.err());
        Cli.Result third = Cli.runWithEnvironment(environment, embed);
        assertEquals("", third.err());
    }

    @Test
    void aModelThatCannotBeOpenedThoughItIsAsConvertedIsAFailure() throws IOException {
        Map<String, String> environment =
                Map.of("XDG_CACHE_HOME", folder.resolve("xdg").toString());
        Files.writeString(source.resolve("config.json"), "{\"model_type\": \"gpt_neo\"}");
        String[] embed = {"embed", "-m", source.toString(), "--quiet", "text"};
        String line = Cli.runWithEnvironment(environment, embed).failure(1);
        assertTrue(line.contains("config.json"), line);
        assertEquals(line, Cli.runWithEnvironment(environment, embed).failure(1));
    }

    /// A file size limit stands in for a full disk.
    @Test
    void aFullDiskIsOneSentenceThatNamesThePlace() throws IOException, InterruptedException {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "needs file size limits");
        String command = "ulimit -f 300; exec \"$@\"";
        Process process = new ProcessBuilder(ChildJvm.command(
                        List.of("bash", "-c", command, "bash"), Main.class, "embed", "-m", source.toString(), "x"))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(1, process.waitFor(), err);
        assertTrue(err.contains("model.safetensors: File too large"), err);
        assertEquals(1, err.lines().filter(line -> line.contains("too large")).count());
    }
}
