package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.Model;
import io.github.sgpt4j.cli.console.Failures;
import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Advice from the libraries names calls; the command line replaces them by its verbs.
class AdviceTest {
    @TempDir
    private Path folder;

    private String refused(String weights) throws IOException {
        for (String file : new String[] {"config.json", "tokenizer.json"}) {
            Files.copy(Path.of(Cli.model("gptneo-be")).resolve(file), folder.resolve(file));
        }
        Files.writeString(folder.resolve(weights), "");
        FormatException failure = assertThrows(FormatException.class, () -> Model.open(folder));
        return Failures.sentence(failure);
    }

    @Test
    void pickledWeightsAreForTheVerbThatConverts() throws IOException {
        assertEquals(
                folder + ": expected model.safetensors or model.safetensors.index.json,"
                        + " got only pickled weights (pytorch_model.bin), which sgpt convert converts",
                refused("pytorch_model.bin"));
    }

    @Test
    void namesOfTypesBecomeOptions() {
        assertEquals(
                "tensor x: merge with another type (--dtype bf16 or fp32)",
                Failures.sentence(new FormatException("tensor x: merge with another type (BF16 or F32)")));
    }

    @Test
    void mergingShardsIsAVerb() {
        assertEquals(
                "x: name one of its part-* folders, or merge them with sgpt index --merge",
                Failures.sentence(
                        new FormatException("x: name one of its part-* folders, or merge them with ShardMerge")));
    }

    @Test
    void otherMessagesStayAsTheyAre() throws IOException {
        assertEquals(
                folder + ": expected model.safetensors or model.safetensors.index.json,"
                        + " got only other.safetensors",
                refused("other.safetensors"));
    }
}
