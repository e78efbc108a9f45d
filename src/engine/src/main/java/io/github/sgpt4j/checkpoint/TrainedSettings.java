package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/// How a model was trained to turn texts into embeddings.
///
/// @param modes pooling modes, whose results are concatenated; at least one, in the order in which
///     sentence-transformers concatenates
/// @param specb whether queries and documents are put in brackets
/// @param maxLength maximum tokens of a text, special tokens and brackets included
public record TrainedSettings(List<PoolMode> modes, boolean specb, int maxLength) {
    static final String POOLING = "pooling";
    static final String SPECB = "specb";
    static final String MAX_LENGTH = "max_length";

    private static final String SEPARATOR = "+";
    private static final String LENGTH = "[1-9][0-9]{0,8}";

    /// @throws IllegalArgumentException if there is no mode, the order of modes is another one, or the length is not
    ///     positive
    public TrainedSettings {
        modes = List.copyOf(modes);
        List<PoolMode> ordered = new ArrayList<>(PoolingNames.FLAGS.values());
        ordered.retainAll(modes);
        if (modes.isEmpty() || !ordered.equals(modes)) {
            throw new IllegalArgumentException("pooling: expected one or more of %s in this order, got %s"
                    .formatted(joined(List.copyOf(PoolingNames.FLAGS.values()), ", "), joined(modes, ", ")));
        }
        if (maxLength < 1) {
            throw new IllegalArgumentException("maximum length: expected at least 1, got " + maxLength);
        }
    }

    /// Reads the settings that a file states.
    ///
    /// @param file for messages
    /// @param metadata the strings in its header
    /// @throws FormatException if one is missing or broken
    static TrainedSettings read(Path file, Map<String, String> metadata) {
        String specb = text(file, metadata, SPECB);
        if (!specb.equals("true") && !specb.equals("false")) {
            throw wrong(file, SPECB, "true or false", specb);
        }
        String length = text(file, metadata, MAX_LENGTH);
        if (!length.matches(LENGTH)) {
            throw wrong(file, MAX_LENGTH, "a whole number from 1 to 999999999", length);
        }
        String pooling = text(file, metadata, POOLING);
        try {
            return new TrainedSettings(modes(pooling), specb.equals("true"), Integer.parseInt(length));
        } catch (IllegalArgumentException e) {
            FormatException broken = wrong(
                    file,
                    POOLING,
                    "names of pooling modes (%s), joined by + in this order"
                            .formatted(joined(List.copyOf(PoolingNames.FLAGS.values()), ", ")),
                    pooling);
            broken.initCause(e);
            throw broken;
        }
    }

    private static List<PoolMode> modes(String names) {
        List<PoolMode> modes = new ArrayList<>();
        // With more names than modes, one occurs twice.
        for (String name : names.split("\\" + SEPARATOR, PoolingNames.FLAGS.size() + 1)) {
            Optional<PoolMode> mode = PoolingNames.parse(name);
            modes.add(mode.orElseThrow(() -> new IllegalArgumentException("unknown mode")));
        }
        return modes;
    }

    /// A string of the header.
    ///
    /// @throws FormatException if it is missing
    static String text(Path file, Map<String, String> metadata, String key) {
        String value = metadata.get(key);
        if (value == null) {
            throw new FormatException(
                    "%s: expected trained tensors with \"%s\" in their metadata, found none".formatted(file, key));
        }
        return value;
    }

    static FormatException wrong(Path file, String key, String expected, String got) {
        return new FormatException(
                "%s: metadata \"%s\": expected %s, got %s".formatted(file, key, expected, Quoted.of(got)));
    }

    /// The settings as strings, as [#read] reads them.
    public Map<String, String> metadata() {
        return Map.of(
                POOLING,
                joined(modes, SEPARATOR),
                SPECB,
                Boolean.toString(specb),
                MAX_LENGTH,
                Integer.toString(maxLength));
    }

    /// The older flags of `1_Pooling/config.json` with their values, which every version of
    /// sentence-transformers reads.
    public SequencedMap<String, Boolean> poolingFlags() {
        SequencedMap<String, Boolean> flags = new LinkedHashMap<>();
        PoolingNames.FLAGS.forEach((flag, mode) -> flags.put(flag, modes.contains(mode)));
        return flags;
    }

    /// The names of the modes, for messages.
    String pooling() {
        return joined(modes, ", ");
    }

    static String joined(List<PoolMode> modes, String separator) {
        return modes.stream().map(PoolingNames::name).collect(Collectors.joining(separator));
    }
}
