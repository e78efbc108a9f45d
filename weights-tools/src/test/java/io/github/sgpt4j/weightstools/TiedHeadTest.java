package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.weights.Weights;
import io.github.sgpt4j.weightstools.pickle.PickleBytes;
import io.github.sgpt4j.weightstools.torch.TorchBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An output head stored separately from the embedding table, as transformers 5 loads and saves it: a
/// head equal to the table is stored once if the model ties them; any other head stays.
class TiedHeadTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TABLE = "transformer.wte.weight";
    private static final String HEAD = "lm_head.weight";

    @TempDir
    Path folder;

    private ConvertReport convert(String golden, Optional<Boolean> tied, byte[] head, long... headStrides)
            throws IOException {
        Path source = Files.createDirectories(folder.resolve("source"));
        ObjectNode config = (ObjectNode)
                JSON.readTree(Checkpoints.twin(golden).resolve("config.json").toFile());
        config.remove("tie_word_embeddings");
        tied.ifPresent(value -> config.put("tie_word_embeddings", value));
        JSON.writeValue(source.resolve("config.json").toFile(), config);
        long[] shape = {2, 3};
        long[] strides = headStrides.length == 0 ? new long[] {3, 1} : headStrides;
        PickleBytes entries = new PickleBytes()
                .text(TABLE)
                .tensor("FloatStorage", "0", 6, 0, shape, new long[] {3, 1})
                .text(HEAD)
                .tensor("FloatStorage", "1", 6, 0, shape, strides);
        byte[] archive = new TorchBytes()
                .stored("m/data.pkl", TorchBytes.dictionary(entries))
                .stored("m/data/0", TorchBytes.floats(0, 1, 2, 3, 4, 5))
                .stored("m/data/1", head)
                .toByteArray();
        Files.write(source.resolve("pytorch_model.bin"), archive);
        return Converter.convert(source, source, ConvertOptions.DEFAULT.withForce(true), ConvertListener.NONE);
    }

    private Set<String> names() {
        try (Weights weights = Weights.open(folder.resolve("source"))) {
            return Set.copyOf(weights.names());
        }
    }

    private static byte[] same() {
        return TorchBytes.floats(0, 1, 2, 3, 4, 5);
    }

    @Test
    void anEqualCopyIsStoredOnce() throws IOException {
        for (Optional<Boolean> tied : List.of(Optional.<Boolean>empty(), Optional.of(true))) {
            assertEquals(Map.of(HEAD, TABLE), convert("gptneo-be", tied, same()).tied());
            assertEquals(Set.of(TABLE), names());
        }
    }

    @Test
    void anEqualCopyInAnotherOrderIsStoredOnce() throws IOException {
        byte[] columns = TorchBytes.floats(0, 3, 1, 4, 2, 5);
        assertEquals(
                Map.of(HEAD, TABLE),
                convert("gptneo-be", Optional.empty(), columns, 1, 2).tied());
    }

    @Test
    void aHeadOfItsOwnStays() throws IOException {
        assertEquals(Map.of(), convert("gptneo-be", Optional.of(false), same()).tied());
        assertEquals(Set.of(TABLE, HEAD), names());
        byte[] other = TorchBytes.floats(0, 1, 2, 3, 4, 6);
        assertEquals(Map.of(), convert("gptneo-be", Optional.of(true), other).tied());
        assertEquals(Set.of(TABLE, HEAD), names());
    }

    @Test
    void familiesThatDoNotTieKeepBoth() throws IOException {
        assertEquals(Map.of(), convert("gptj-ce", Optional.empty(), same()).tied());
        assertEquals(Set.of(TABLE, HEAD), names());
    }
}
