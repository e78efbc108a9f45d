package io.github.sgpt4j.documents;

import io.github.sgpt4j.documents.folder.FolderFile;
import io.github.sgpt4j.documents.folder.FolderScan;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Removes from an index what a folder no longer has.
final class Removal {
    /// Names in one filter; its text is bounded.
    private static final int MAX_NAMES = 2_000;

    private final SemanticIndex index;
    private final int maxNames;

    Removal(SemanticIndex index) {
        this(index, MAX_NAMES);
    }

    /// @param maxNames at most this many names in one filter
    Removal(SemanticIndex index, int maxNames) {
        this.index = index;
        this.maxNames = maxNames;
    }

    /// @return number of documents removed
    long remove(FolderScan scan, ReadFiles read) throws IOException {
        long before = index.size();
        removeFiles(scan, read);
        removeRecords(read.records());
        index.commit();
        return before - index.size();
    }

    /// Removes documents of other files, and those that come from no file. The names that are kept are
    /// compared range by range.
    private void removeFiles(FolderScan scan, ReadFiles read) throws IOException {
        Set<String> kept = new HashSet<>(scan.failed().keySet());
        scan.files().stream()
                .map(FolderFile::name)
                .filter(name -> !read.withoutText().contains(name))
                .forEach(kept::add);
        List<String> names = new ArrayList<>(kept);
        names.sort(Comparator.comparing(Removal::codePoints, Arrays::compare));
        List<Filter> unreadable = scan.failed().keySet().stream()
                .map(name -> Filter.not(below(name)))
                .toList();
        index.remove(Filter.not(Filter.atLeast(FolderDocuments.PATH, "")));
        for (int start = 0; start == 0 || start < names.size(); start += maxNames) {
            int end = Math.min(names.size(), start + maxNames);
            List<Filter> gone = new ArrayList<>(unreadable);
            gone.add(Filter.atLeast(FolderDocuments.PATH, start == 0 ? "" : names.get(start)));
            if (end < names.size()) {
                gone.add(Filter.less(FolderDocuments.PATH, names.get(end)));
            }
            if (end > start) {
                gone.add(Filter.notIn(FolderDocuments.PATH, names.subList(start, end)));
            }
            index.remove(Filter.and(gone));
        }
    }

    /// What lies in a folder: names that begin with its own and a slash, which the digit 0 follows.
    private static Filter below(String name) {
        return Filter.and(
                Filter.atLeast(FolderDocuments.PATH, name + "/"), Filter.less(FolderDocuments.PATH, name + "0"));
    }

    /// In the order in which filters compare.
    private static int[] codePoints(String name) {
        return name.codePoints().toArray();
    }

    private void removeRecords(Map<String, Long> lastRecords) throws IOException {
        for (Map.Entry<String, Long> file : lastRecords.entrySet()) {
            Filter ofFile = Filter.equal(FolderDocuments.PATH, file.getKey());
            Filter numbered = Filter.atLeast(FolderDocuments.RECORD, 0);
            long last = file.getValue();
            index.remove(Filter.and(
                    ofFile,
                    last == 0
                            ? numbered
                            : Filter.or(Filter.not(numbered), Filter.greater(FolderDocuments.RECORD, last))));
        }
    }
}
