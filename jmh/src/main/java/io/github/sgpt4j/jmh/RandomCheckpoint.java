package io.github.sgpt4j.jmh;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.SafetensorsWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SplittableRandom;

/// Checkpoints of real shapes with random fp32 weights, written once and cached.
///
/// Weights are uniformly distributed with standard deviation 0.02 (gains: around 1); the seed depends on the tensor's
/// name.
public final class RandomCheckpoint {
    private static final float BOUND = (float) (0.02 * Math.sqrt(3));
    private static final int CHUNK = 1 << 14;

    private final ModelShape shape;
    private final SafetensorsWriter writer = new SafetensorsWriter();

    private RandomCheckpoint(ModelShape shape) {
        this.shape = shape;
    }

    /// The checkpoint of a shape under [Settings#dataDirectory], written if it does not exist.
    public static Path directory(ModelShape shape) {
        return directory(shape, false);
    }

    /// The same network with a classification head of one label in place of the output head (GPT-Neo's shapes).
    public static Path classifier(ModelShape shape) {
        return directory(shape, true);
    }

    private static Path directory(ModelShape shape, boolean classifier) {
        try {
            String name =
                    shape.name().toLowerCase(Locale.ROOT) + "-" + Settings.activation() + (classifier ? "-score" : "");
            Path directory = Settings.dataDirectory().resolve(name);
            Files.createDirectories(directory);
            Path config = directory.resolve("config.json");
            if (!Files.exists(config)) {
                new RandomCheckpoint(shape).write(directory, classifier);
                ObjectNode settings = config(shape);
                if (classifier) {
                    settings.putArray("architectures").add("GPTNeoForSequenceClassification");
                    settings.putObject("id2label").put("0", "score");
                    settings.put("pad_token_id", 0);
                }
                new ObjectMapper().writeValue(config.toFile(), settings);
            }
            // Written each time, since the vocabulary depends on the settings.
            BenchmarkTokenizer.write(directory, shape.positions());
            return directory;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private void write(Path directory, boolean classifier) throws IOException {
        int hidden = shape.hidden();
        switch (shape.family()) {
            case GPT_NEO, GPT2 -> {
                matrix("wte", shape.vocabulary(), hidden);
                matrix("wpe", shape.positions(), hidden);
            }
            case BLOOM -> {
                matrix("word_embeddings", shape.vocabulary(), hidden);
                norm("word_embeddings_layernorm");
            }
        }
        for (int layer = 0; layer < shape.layers(); layer++) {
            switch (shape.family()) {
                case GPT_NEO -> neoLayer("h." + layer + ".");
                case GPT2 -> gpt2Layer("h." + layer + ".");
                case BLOOM -> bloomLayer("h." + layer + ".");
            }
        }
        norm("ln_f");
        if (classifier) {
            matrix("score", 1, hidden);
        }
        writer.write(directory.resolve("model.safetensors"));
    }

    private void neoLayer(String name) {
        int hidden = shape.hidden();
        norm(name + "ln_1");
        norm(name + "ln_2");
        matrix(name + "attn.attention.q_proj", hidden, hidden);
        matrix(name + "attn.attention.k_proj", hidden, hidden);
        matrix(name + "attn.attention.v_proj", hidden, hidden);
        linear(name + "attn.attention.out_proj", hidden, hidden);
        linear(name + "mlp.c_fc", shape.feedForward(), hidden);
        linear(name + "mlp.c_proj", hidden, shape.feedForward());
    }

    /// GPT-2 stores matrices `[in, out]`.
    private void gpt2Layer(String name) {
        int hidden = shape.hidden();
        norm(name + "ln_1");
        norm(name + "ln_2");
        matrix(name + "attn.c_attn", hidden, 3 * hidden);
        vector(name + "attn.c_attn.bias", 3 * hidden, 0);
        matrix(name + "attn.c_proj", hidden, hidden);
        vector(name + "attn.c_proj.bias", hidden, 0);
        matrix(name + "mlp.c_fc", hidden, shape.feedForward());
        vector(name + "mlp.c_fc.bias", shape.feedForward(), 0);
        matrix(name + "mlp.c_proj", shape.feedForward(), hidden);
        vector(name + "mlp.c_proj.bias", hidden, 0);
    }

    private void bloomLayer(String name) {
        int hidden = shape.hidden();
        norm(name + "input_layernorm");
        norm(name + "post_attention_layernorm");
        linear(name + "self_attention.query_key_value", 3 * hidden, hidden);
        linear(name + "self_attention.dense", hidden, hidden);
        linear(name + "mlp.dense_h_to_4h", shape.feedForward(), hidden);
        linear(name + "mlp.dense_4h_to_h", hidden, shape.feedForward());
    }

    private void linear(String module, int out, int in) {
        matrix(module, out, in);
        vector(module + ".bias", out, 0);
    }

    private void norm(String module) {
        vector(module + ".weight", shape.hidden(), 1);
        vector(module + ".bias", shape.hidden(), 0);
    }

    private void matrix(String module, int rows, int columns) {
        add(module + ".weight", Shape.of(rows, columns), 0);
    }

    private void vector(String name, int length, float center) {
        add(name, Shape.of(length), center);
    }

    private void add(String name, Shape dimensions, float center) {
        writer.add(name, ElementType.F32, dimensions, out -> random(name, dimensions.elements(), center, out));
    }

    private static void random(String name, long count, float center, OutputStream out) throws IOException {
        SplittableRandom random = new SplittableRandom(name.hashCode());
        byte[] bytes = new byte[CHUNK * Float.BYTES];
        MemorySegment segment = MemorySegment.ofArray(bytes);
        for (long done = 0; done < count; done += CHUNK) {
            int length = (int) Math.min(CHUNK, count - done);
            for (int i = 0; i < length; i++) {
                segment.set(LittleEndian.F32, (long) i * Float.BYTES, center + random.nextFloat(-BOUND, BOUND));
            }
            out.write(bytes, 0, length * Float.BYTES);
        }
    }

    private static ObjectNode config(ModelShape shape) {
        ObjectNode config = new ObjectMapper().createObjectNode();
        config.put("vocab_size", shape.vocabulary());
        config.put("tie_word_embeddings", true);
        config.put("layer_norm_epsilon", 1e-5);
        config.put("torch_dtype", "float32");
        switch (shape.family()) {
            case GPT_NEO -> neoConfig(config, shape);
            case GPT2 -> gpt2Config(config, shape);
            case BLOOM -> bloomConfig(config, shape);
        }
        return config;
    }

    private static void neoConfig(ObjectNode config, ModelShape shape) {
        config.put("model_type", "gpt_neo");
        config.put("activation_function", Settings.activation());
        config.put("hidden_size", shape.hidden());
        config.put("num_layers", shape.layers());
        config.put("num_heads", shape.heads());
        config.putNull("intermediate_size");
        config.put("max_position_embeddings", shape.positions());
        config.put("window_size", shape.window());
        ArrayNode types = config.putArray("attention_types").addArray();
        types.addArray().add("global").add("local");
        types.add(shape.layers() / 2);
    }

    private static void gpt2Config(ObjectNode config, ModelShape shape) {
        config.put("model_type", "gpt2");
        config.putArray("architectures").add("GPT2LMHeadModel");
        config.put("activation_function", Settings.activation());
        config.put("n_embd", shape.hidden());
        config.put("n_layer", shape.layers());
        config.put("n_head", shape.heads());
        config.put("n_positions", shape.positions());
        config.put("n_ctx", shape.positions());
        config.put("bos_token_id", 0);
        config.put("eos_token_id", 0);
    }

    private static void bloomConfig(ObjectNode config, ModelShape shape) {
        config.put("model_type", "bloom");
        config.put("hidden_size", shape.hidden());
        config.put("n_layer", shape.layers());
        config.put("n_head", shape.heads());
        config.put("seq_length", shape.positions());
        config.put("apply_residual_connection_post_layernorm", false);
    }
}
