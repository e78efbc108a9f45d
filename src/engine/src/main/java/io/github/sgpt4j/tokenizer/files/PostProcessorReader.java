package io.github.sgpt4j.tokenizer.files;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.tokenizer.step.PostProcessor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Reads post-processors of `tokenizer.json`. Unknown types and keys are refused.
public final class PostProcessorReader {
    private static final int MAX_PARTS = 64;

    private PostProcessorReader() {}

    public static PostProcessor step(JsonFields step) {
        String type = step.string("type");
        switch (type) {
            case "Sequence" -> {
                step.allow(Set.of("type", "processors"));
                return sequence(step);
            }
            case "ByteLevel" -> {
                step.allow(Set.of("type", "add_prefix_space", "trim_offsets", "use_regex"));
                return new PostProcessor(PostProcessor.NONE.parts(), trims(step));
            }
            case "TemplateProcessing" -> {
                step.allow(Set.of("type", "single", "pair", "special_tokens"));
                return template(step);
            }
            case "RobertaProcessing", "BertProcessing" -> {
                step.allow(Set.of("type", "sep", "cls", "trim_offsets", "add_prefix_space"));
                PostProcessor around = around(List.of(tokenId(step, "cls")), List.of(tokenId(step, "sep")));
                return type.equals("BertProcessing") ? around : new PostProcessor(around.parts(), trims(step));
            }
            default -> throw StepReader.unknown(step, "post-processor", type);
        }
    }

    /// Only one step may add anything: the reference does not process two templates in a row as they
    /// say.
    private static PostProcessor sequence(JsonFields step) {
        PostProcessor result = PostProcessor.NONE;
        List<PostProcessor.Trim> trims = new ArrayList<>();
        for (JsonFields next : step.objects("processors")) {
            PostProcessor processor = step(next);
            trims.addAll(processor.trims());
            if (!processor.addsNothing()) {
                if (!result.addsNothing()) {
                    throw new UnsupportedModelException(
                            "%s: more than one step that adds special tokens is not supported"
                                    .formatted(step.where("processors")));
                }
                result = processor;
            }
        }
        return new PostProcessor(result.parts(), trims);
    }

    private static List<PostProcessor.Trim> trims(JsonFields step) {
        return step.flag("trim_offsets", true)
                ? List.of(new PostProcessor.Trim(step.flag("add_prefix_space", true)))
                : List.of();
    }

    /// Special tokens before and after the text.
    static PostProcessor around(List<Integer> before, List<Integer> after) {
        return new PostProcessor(List.of(
                PostProcessor.Part.special(before), PostProcessor.Part.ofText(), PostProcessor.Part.special(after)));
    }

    private static int tokenId(JsonFields step, String key) {
        JsonNode pair = step.array(key);
        if (pair.size() != 2) {
            throw new FormatException(
                    "%s: expected a token and its id, got %d elements".formatted(step.where(key), pair.size()));
        }
        return JsonFields.integer(pair.get(1), step.where(key), 0);
    }

    private static PostProcessor template(JsonFields step) {
        List<PostProcessor.Part> parts = new ArrayList<>();
        for (JsonFields piece : step.objects("single")) {
            piece.allow(Set.of("SpecialToken", "Sequence"));
            if (piece.has("Sequence") == piece.has("SpecialToken")) {
                throw new FormatException(
                        "%s: expected pieces that are either Sequence or SpecialToken".formatted(step.where("single")));
            }
            if (piece.has("Sequence")) {
                JsonFields sequence = piece.object("Sequence");
                String id = sequence.string("id");
                if (!id.equals("A")) {
                    throw new FormatException("%s: expected \"A\" in a template for one text, got \"%s\""
                            .formatted(sequence.where("id"), id));
                }
                parts.add(PostProcessor.Part.ofText());
            } else {
                parts.add(PostProcessor.Part.special(
                        specialIds(step, piece.object("SpecialToken").string("id"))));
            }
        }
        if (parts.size() > MAX_PARTS) {
            throw new FormatException(
                    "%s: expected at most %d pieces, got more".formatted(step.where("single"), MAX_PARTS));
        }
        return new PostProcessor(parts);
    }

    private static List<Integer> specialIds(JsonFields step, String name) {
        JsonFields tokens = step.object("special_tokens");
        if (!tokens.has(name)) {
            throw new FormatException("%s: expected \"%s\", which the template uses, found none"
                    .formatted(step.where("special_tokens"), name));
        }
        return tokens.object(name).integers("ids", 0);
    }
}
