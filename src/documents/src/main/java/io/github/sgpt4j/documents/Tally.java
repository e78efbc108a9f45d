package io.github.sgpt4j.documents;

import io.github.sgpt4j.documents.folder.FolderScan;
import io.github.sgpt4j.documents.kind.FileKind;
import io.github.sgpt4j.documents.kind.NoText;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/// Counts what becomes of files, and tells a listener of each.
final class Tally {
    private final FolderListener listener;
    private final Map<String, Long> read = new TreeMap<>();
    private final Map<String, Long> passedOver = new TreeMap<>();
    private final Map<String, String> failed = new LinkedHashMap<>();
    private final Map<String, String> told = new LinkedHashMap<>();
    private long unchanged;
    private long failures;
    private long understood;

    Tally(FolderListener listener) {
        this.listener = listener;
    }

    /// What was seen of a folder without opening files.
    void add(FolderScan scan) {
        scan.passedOver().forEach(this::passOver);
        scan.failed().forEach(this::fail);
    }

    void read(String name) {
        String last = name.substring(name.lastIndexOf('/') + 1);
        String suffix = FileKind.suffix(last);
        String key = (suffix.isEmpty() ? "" : "." + suffix) + (FileKind.isPacked(last) ? ".gz" : "");
        read.merge(key, 1L, Long::sum);
    }

    void unchanged() {
        unchanged++;
    }

    void passOver(String name, NoText reason) {
        String title = reason == NoText.HIDDEN && name.endsWith("/") ? "hidden folders" : reason.title();
        passedOver.merge(title, 1L, Long::sum);
        listener.passedOver(name, title);
    }

    void fail(String name, String reason) {
        failures++;
        if (failed.size() < FolderReport.MAX_NAMED) {
            failed.put(name, reason);
        }
        listener.failed(name, reason);
    }

    void tell(String name, String sentence) {
        understood++;
        if (told.size() < FolderReport.MAX_NAMED) {
            told.merge(name, sentence, (before, now) -> before + "; " + now);
        }
        listener.told(name, sentence);
    }

    FolderReport report() {
        return new FolderReport(read, unchanged, passedOver, failures, failed, understood, told);
    }
}
