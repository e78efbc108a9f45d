package io.github.sgpt4j.model.family;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Latents;
import java.util.List;
import java.util.Optional;

/// NV-Embed (arXiv 2405.17428): `configuration_nvembed.py`. The decoder is the Mistral of
/// `text_config`, whose tokens
/// attend in both directions over whole texts, followed by latent attention.
final class NvEmbed {
    static final Family FAMILY = new Family(
            "nvembed",
            NvEmbed::config,
            Llama.names().prefixes("embedding_model.").build());

    private static final String TEXT = "text_config";
    private static final int LATENTS = 512;
    private static final int HEADS = 8;
    private static final int WIDTH = 4096;
    private static final int MULTIPLE = 4;

    private NvEmbed() {}

    private static DecoderConfig config(JsonFile c) {
        JsonFile text = c.object(TEXT)
                .orElseThrow(
                        () -> new FormatException("%s: expected key \"text_config\", found none".formatted(c.path())));
        String type = text.text("model_type", "");
        if (!type.equals("bidir_mistral")) {
            throw c.unsupported(TEXT + ".model_type", text.node("model_type").orElseThrow(), "bidir_mistral is");
        }
        int hidden = text.positiveInt("hidden_size");
        if (c.positiveInt(hidden, "hidden_size") != hidden) {
            throw c.wrong(
                    "hidden_size",
                    "that of \"text_config\", " + hidden,
                    c.node("hidden_size").orElseThrow());
        }
        return Mistral.parts(text)
                .latents(latents(c.object("latent_attention_config"), c, hidden))
                .build();
    }

    private static Latents latents(Optional<JsonFile> stated, JsonFile c, int hidden) {
        JsonFile l = stated.orElseGet(() -> JsonFile.of(c.path(), "{}"));
        for (String key : List.of("hidden_dim", "latent_dim")) {
            if (l.positiveInt(WIDTH, key) != hidden) {
                throw new FormatException("%s: key \"latent_attention_config.%s\": expected the hidden size, %d, got %d"
                        .formatted(c.path(), key, hidden, l.positiveInt(WIDTH, key)));
            }
        }
        try {
            return new Latents(
                    l.positiveInt(LATENTS, "num_latents_value"),
                    l.positiveInt(HEADS, "num_cross_heads"),
                    l.positiveInt(WIDTH, "cross_dim_head"),
                    Math.multiplyExact(l.positiveInt(MULTIPLE, "mult"), hidden));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new FormatException("%s: key \"latent_attention_config\": %s".formatted(c.path(), e.getMessage()), e);
        }
    }
}
