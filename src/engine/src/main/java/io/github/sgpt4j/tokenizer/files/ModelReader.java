package io.github.sgpt4j.tokenizer.files;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.text.WellFormed;
import io.github.sgpt4j.tokenizer.bpe.MergeTable;
import io.github.sgpt4j.tokenizer.collection.StringPool;
import io.github.sgpt4j.tokenizer.vocabulary.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Reads `tokenizer.json`, `vocab.json` and `merges.txt`. Vocabulary and merges, which make up almost
/// all of the content, go straight from the parser into compact tables; the rest becomes a small tree.
public final class ModelReader {
    private static final long MAX_FILE_BYTES = 512L << 20;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .configure(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES, false)
                    .configure(JsonFactory.Feature.INTERN_FIELD_NAMES, false)
                    .streamReadConstraints(
                            StreamReadConstraints.builder().maxNestingDepth(64).build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build();

    private final String file;
    private final ObjectNode root = MAPPER.createObjectNode();
    private final ObjectNode model = MAPPER.createObjectNode();
    private final Vocabulary vocabulary;
    private final StringPool pairs = new StringPool();
    private boolean hasModel;
    private boolean hasVocabulary;
    private boolean hasMerges;

    private ModelReader(String file) {
        this.file = file;
        this.vocabulary = new Vocabulary(file);
    }

    /// The contents of a tokenizer's files.
    ///
    /// @param root members of `tokenizer.json` except `model`
    /// @param model members of `model` except `vocab` and `merges`
    public record Content(String file, Vocabulary vocabulary, MergeTable merges, JsonFields root, JsonFields model) {}

    public static Content tokenizerJson(Path path) {
        ModelReader reader = new ModelReader(path.toString());
        return reader.parse(path, parser -> reader.readRoot(parser));
    }

    public static Content vocabularyAndMerges(Path vocabularyPath, Path mergesPath) {
        ModelReader reader = new ModelReader(vocabularyPath.toString());
        reader.hasModel = true;
        reader.hasMerges = true;
        reader.readMergesText(mergesPath);
        return reader.parse(vocabularyPath, parser -> {
            reader.readVocabulary(parser);
            reader.hasVocabulary = true;
        });
    }

    /// A small JSON file as a tree; null if it does not exist.
    static @Nullable JsonFields tree(Path path, JsonFiles json) {
        if (!Files.exists(path)) {
            return null;
        }
        checkSize(path);
        try (Reader in = open(json.open(path));
                JsonParser parser = MAPPER.createParser(in)) {
            JsonNode node = MAPPER.readTree(parser);
            if (node == null || node.isMissingNode()) {
                throw new FormatException("%s: expected JSON, got an empty file".formatted(path));
            }
            end(parser, path.toString());
            return new JsonFields(path.toString(), "", node);
        } catch (IOException e) {
            throw Unreadable.of(path, e);
        }
    }

    /// A tree without members, for a file that does not exist.
    static JsonFields emptyTree(Path path) {
        return new JsonFields(path.toString(), "", MAPPER.createObjectNode());
    }

    private interface Step {
        void read(JsonParser parser) throws IOException;
    }

    private Content parse(Path path, Step step) {
        checkSize(path);
        try (Reader in = open(Files.newInputStream(path));
                JsonParser parser = MAPPER.createParser(in)) {
            parser.nextToken();
            step.read(parser);
            end(parser, file);
        } catch (IOException e) {
            throw Unreadable.of(path, e);
        }
        JsonFields modelFields = new JsonFields(file, "model", model);
        String type = modelFields.string("type", "BPE");
        if (!type.equals("BPE")) {
            throw new UnsupportedModelException(
                    "%s: model \"%s\" is not supported, only BPE is".formatted(modelFields.where("type"), type));
        }
        if (!hasModel || !hasVocabulary || !hasMerges) {
            String missing = !hasModel ? "model" : !hasVocabulary ? "model.vocab" : "model.merges";
            throw new FormatException("%s: %s is missing".formatted(file, missing));
        }
        if (vocabulary.size() == 0) {
            throw new FormatException("%s: model.vocab: expected tokens, got none".formatted(file));
        }
        return new Content(
                file,
                vocabulary,
                MergeTable.of(pairs, vocabulary, file + ": model.merges"),
                new JsonFields(file, "", root),
                modelFields);
    }

    private static void end(JsonParser parser, String file) throws IOException {
        if (parser.nextToken() != null) {
            throw new FormatException("%s: expected the end of the file after the JSON value, got more at line %d"
                    .formatted(file, parser.currentTokenLocation().getLineNr()));
        }
    }

    /// Strict: malformed UTF-8 is an error.
    private static Reader open(InputStream in) {
        return new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder());
    }

    /// Refuses, without reading, anything but a regular file of limited size: a link to a device would
    /// never end.
    private static void checkSize(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new FormatException("%s: expected a regular file".formatted(path));
        }
        try {
            long size = Files.size(path);
            if (size > MAX_FILE_BYTES) {
                throw new FormatException(
                        "%s: expected at most %d bytes, got %d".formatted(path, MAX_FILE_BYTES, size));
            }
        } catch (IOException e) {
            throw Unreadable.of(path, e);
        }
    }

    private void readRoot(JsonParser parser) throws IOException {
        requireToken(parser, JsonToken.START_OBJECT, "the file");
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            parser.nextToken();
            if (key.equals("model")) {
                refuseTwice(hasModel, key);
                hasModel = true;
                readModel(parser);
            } else {
                put(root, key, key, parser);
            }
        }
    }

    private void readModel(JsonParser parser) throws IOException {
        requireToken(parser, JsonToken.START_OBJECT, "model");
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            parser.nextToken();
            switch (key) {
                case "vocab" -> {
                    refuseTwice(hasVocabulary, "model.vocab");
                    hasVocabulary = true;
                    if (parser.currentToken() == JsonToken.START_ARRAY) {
                        // Unigram models have a list here; they are refused later, by their type.
                        parser.skipChildren();
                    } else {
                        readVocabulary(parser);
                    }
                }
                case "merges" -> {
                    refuseTwice(hasMerges, "model.merges");
                    hasMerges = true;
                    readMerges(parser);
                }
                default -> put(model, key, "model." + key, parser);
            }
        }
    }

    private void put(ObjectNode object, String key, String path, JsonParser parser) throws IOException {
        refuseTwice(object.has(key), path);
        JsonNode value = MAPPER.readTree(parser);
        object.set(key, value);
    }

    private void refuseTwice(boolean seen, String path) {
        if (seen) {
            throw new FormatException("%s: %s occurs twice".formatted(file, path));
        }
    }

    private void requireToken(JsonParser parser, JsonToken expected, String path) {
        if (parser.currentToken() != expected) {
            throw new FormatException("%s: %s: expected %s, got %s"
                    .formatted(
                            file,
                            path,
                            expected == JsonToken.START_OBJECT ? "an object" : "an array",
                            Unreadable.kind(parser.currentToken())));
        }
    }

    private void readVocabulary(JsonParser parser) throws IOException {
        requireToken(parser, JsonToken.START_OBJECT, "model.vocab");
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String token = parser.currentName();
            if (parser.nextToken() != JsonToken.VALUE_NUMBER_INT) {
                throw new FormatException("%s: model.vocab: expected an integer as id of token %s, got something else"
                        .formatted(file, Quoted.of(token)));
            }
            requireWellFormed(token);
            char[] chars = token.toCharArray();
            vocabulary.add(chars, 0, chars.length, parser.getLongValue());
        }
    }

    private void requireWellFormed(CharSequence token) {
        if (!WellFormed.is(token)) {
            throw new FormatException(
                    "%s: model.vocab: expected tokens of characters, got an unpaired surrogate".formatted(file));
        }
    }

    private void readMerges(JsonParser parser) throws IOException {
        requireToken(parser, JsonToken.START_ARRAY, "model.merges");
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            if (token == JsonToken.VALUE_STRING) {
                char[] chars = parser.getTextCharacters();
                addMerge(chars, parser.getTextOffset(), parser.getTextLength(), file + ": model.merges");
            } else if (token == JsonToken.START_ARRAY) {
                int merge = pairs.size() / 2;
                addPart(parser);
                addPart(parser);
                if (parser.nextToken() != JsonToken.END_ARRAY) {
                    throw badMerge(file + ": model.merges", merge);
                }
            } else {
                throw badMerge(file + ": model.merges");
            }
        }
    }

    private void addPart(JsonParser parser) throws IOException {
        if (parser.nextToken() != JsonToken.VALUE_STRING) {
            throw badMerge(file + ": model.merges");
        }
        pairs.add(parser.getTextCharacters(), parser.getTextOffset(), parser.getTextLength());
    }

    /// Adds a merge written as two parts with one space between them.
    private void addMerge(char[] chars, int offset, int length, String where) {
        int space = -1;
        for (int i = offset; i < offset + length; i++) {
            if (chars[i] == ' ') {
                if (space >= 0) {
                    throw badMerge(where);
                }
                space = i;
            }
        }
        if (space < 0) {
            throw badMerge(where);
        }
        pairs.add(chars, offset, space - offset);
        pairs.add(chars, space + 1, offset + length - space - 1);
    }

    private FormatException badMerge(String where) {
        return badMerge(where, pairs.size() / 2);
    }

    private static FormatException badMerge(String where, int merge) {
        return new FormatException(
                "%s: merge %d: expected a pair of strings, got something else".formatted(where, merge));
    }

    private void readMergesText(Path path) {
        checkSize(path);
        char[] chars;
        try {
            chars = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Files.readAllBytes(path)))
                    .toString()
                    .toCharArray();
        } catch (IOException e) {
            throw Unreadable.of(path, e);
        }
        for (int start = 0; start < chars.length; ) {
            int end = start;
            while (end < chars.length && chars[end] != '\n') {
                end++;
            }
            int length = end - start - (end < chars.length && end > start && chars[end - 1] == '\r' ? 1 : 0);
            if (!new String(chars, start, Math.min(length, 8)).equals("#version")) {
                addMerge(chars, start, length, path.toString());
            }
            start = end + 1;
        }
    }
}
