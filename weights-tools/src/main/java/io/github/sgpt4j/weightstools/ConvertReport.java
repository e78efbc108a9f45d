package io.github.sgpt4j.weightstools;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a conversion did.
///
/// @param files weight files and indexes that were written, at their final paths
/// @param tensors number of tensors in them
/// @param bytes bytes of these tensors
/// @param droppedBuffers names of buffers left out because models compute them (causal masks, rotary
///     frequencies)
/// @param tied names left out because another name refers to the same numbers, each with that name
/// @param notices what users should know about how the files were interpreted, one sentence each
public record ConvertReport(
        List<Path> files,
        int tensors,
        long bytes,
        List<String> droppedBuffers,
        Map<String, String> tied,
        List<String> notices) {
    /// Keeps copies of lists and map.
    public ConvertReport {
        files = List.copyOf(files);
        droppedBuffers = List.copyOf(droppedBuffers);
        notices = List.copyOf(notices);
        tied = Collections.unmodifiableMap(new LinkedHashMap<>(tied));
    }
}
