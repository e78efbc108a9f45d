package io.github.sgpt4j.jmh;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.nano.NanoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;

/// The tokenizer of the random checkpoints: GPT-2's if [Settings#gpt2Directory] has it, otherwise the built-in
/// model's, a byte-level BPE with 32,000 tokens. Written as `tokenizer.json`, which all libraries can read.
final class BenchmarkTokenizer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String END = "<|endoftext|>";

    private BenchmarkTokenizer() {}

    /// A description for reports.
    static String description() {
        return Settings.gpt2Directory().isPresent() ? "GPT-2's vocabulary" : "the built-in model's vocabulary";
    }

    /// Writes `tokenizer.json` and `tokenizer_config.json`.
    static void write(Path directory, int maxLength) throws IOException {
        Path file = directory.resolve("tokenizer.json");
        Optional<Path> gpt2 = Settings.gpt2Directory();
        if (gpt2.isPresent()) {
            JSON.writeValue(file.toFile(), gpt2(gpt2.get()));
        } else {
            Files.copy(NanoModel.directory().resolve("tokenizer.json"), file, StandardCopyOption.REPLACE_EXISTING);
        }
        ObjectNode config = JSON.createObjectNode();
        config.put("model_max_length", maxLength);
        config.put("tokenizer_class", "PreTrainedTokenizerFast");
        config.put("eos_token", END);
        JSON.writeValue(directory.resolve("tokenizer_config.json").toFile(), config);
    }

    private static ObjectNode gpt2(Path directory) throws IOException {
        JsonNode vocabulary = JSON.readTree(directory.resolve("vocab.json").toFile());
        ObjectNode root = JSON.createObjectNode();
        root.put("version", "1.0");
        root.putNull("truncation");
        root.putNull("padding");
        ObjectNode end = root.putArray("added_tokens").addObject();
        end.put("id", vocabulary.path(END).asInt());
        end.put("content", END);
        for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
            end.put(flag, false);
        }
        end.put("special", true);
        root.putNull("normalizer");
        byteLevel(root.putObject("pre_tokenizer"));
        byteLevel(root.putObject("post_processor"));
        byteLevel(root.putObject("decoder"));
        ObjectNode model = root.putObject("model");
        model.put("type", "BPE");
        model.putNull("dropout");
        model.putNull("unk_token");
        model.put("continuing_subword_prefix", "");
        model.put("end_of_word_suffix", "");
        model.put("fuse_unk", false);
        model.set("vocab", vocabulary);
        ArrayNode merges = model.putArray("merges");
        for (String line : Files.readAllLines(directory.resolve("merges.txt"))) {
            if (!line.isEmpty() && !line.startsWith("#version")) {
                merges.add(line);
            }
        }
        return root;
    }

    private static void byteLevel(ObjectNode node) {
        node.put("type", "ByteLevel");
        node.put("add_prefix_space", false);
        node.put("trim_offsets", true);
        node.put("use_regex", true);
    }
}
