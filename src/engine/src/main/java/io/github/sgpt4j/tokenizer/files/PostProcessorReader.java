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
                return PostProcessor.NONE.withTrims(trims(step));
            }
            case "TemplateProcessing" -> {
                step.allow(Set.of("type", "single", "pair", "special_tokens"));
                return template(step);
            }
            case "RobertaProcessing", "BertProcessing" -> {
                step.allow(Set.of("type", "sep", "cls", "trim_offsets", "add_prefix_space"));
                List<Integer> cls = List.of(tokenId(step, "cls"));
                List<Integer> sep = List.of(tokenId(step, "sep"));
                return type.equals("BertProcessing")
                        ? around(cls, sep).withPair(pair(cls, sep, List.of(), sep))
                        : around(cls, sep).withPair(pair(cls, sep, sep, sep)).withTrims(trims(step));
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
        return result.withTrims(trims);
    }

    private static List<PostProcessor.Trim> trims(JsonFields step) {
        return step.flag("trim_offsets", true)
                ? List.of(new PostProcessor.Trim(step.flag("add_prefix_space", true)))
                : List.of();
    }

    /// Special tokens before and after the text, and before and after each text of a pair.
    static PostProcessor around(List<Integer> before, List<Integer> after) {
        List<PostProcessor.Part> single = List.of(
                PostProcessor.Part.special(before), PostProcessor.Part.ofText(), PostProcessor.Part.special(after));
        return new PostProcessor(single).withPair(pair(before, after, before, after));
    }

    private static List<PostProcessor.Part> pair(
            List<Integer> before, List<Integer> after, List<Integer> beforeSecond, List<Integer> afterSecond) {
        return List.of(
                PostProcessor.Part.special(before),
                PostProcessor.Part.ofText(),
                PostProcessor.Part.special(after),
                PostProcessor.Part.special(beforeSecond),
                PostProcessor.Part.ofText(),
                PostProcessor.Part.special(afterSecond));
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
        PostProcessor single = new PostProcessor(parts(step, "single", "one text", List.of("A")));
        return step.has("pair") ? single.withPair(pairParts(step)) : single;
    }

    /// The template for a pair, which few uses of a tokenizer need: what is wrong with it is told when a pair
    /// is to be encoded.
    ///
    /// @return empty if it is not usable
    private static List<PostProcessor.Part> pairParts(JsonFields step) {
        try {
            List<PostProcessor.Part> parts = parts(step, "pair", "a pair", List.of("A", "B"));
            return parts.stream().filter(PostProcessor.Part::text).count() == 2 ? parts : List.of();
        } catch (FormatException e) {
            return List.of();
        }
    }

    /// @param texts ids of texts that may occur, in their order
    private static List<PostProcessor.Part> parts(JsonFields step, String key, String what, List<String> texts) {
        List<PostProcessor.Part> parts = new ArrayList<>();
        int text = 0;
        for (JsonFields piece : step.objects(key)) {
            piece.allow(Set.of("SpecialToken", "Sequence"));
            if (piece.has("Sequence") == piece.has("SpecialToken")) {
                throw new FormatException(
                        "%s: expected pieces that are either Sequence or SpecialToken".formatted(step.where(key)));
            }
            if (piece.has("Sequence")) {
                JsonFields sequence = piece.object("Sequence");
                String id = sequence.string("id");
                String expected = texts.get(Math.min(text, texts.size() - 1));
                if (!id.equals(expected)) {
                    throw new FormatException("%s: expected \"%s\" in a template for %s, got \"%s\""
                            .formatted(sequence.where("id"), expected, what, id));
                }
                text++;
                parts.add(PostProcessor.Part.ofText());
            } else {
                parts.add(PostProcessor.Part.special(
                        specialIds(step, piece.object("SpecialToken").string("id"))));
            }
        }
        if (parts.size() > MAX_PARTS) {
            throw new FormatException("%s: expected at most %d pieces, got more".formatted(step.where(key), MAX_PARTS));
        }
        return parts;
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
