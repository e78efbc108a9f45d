package io.github.sgpt4j.documents;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.documents.folder.FileNotes;
import io.github.sgpt4j.documents.folder.FolderScan;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.UpdateListener;
import io.github.sgpt4j.retrieval.UpdateReport;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An index that follows a folder.
class FolderIndexTest {
    private static BiEncoder encoder;

    @TempDir
    private Path root;

    @TempDir
    private Path elsewhere;

    private FolderOfFiles folder;
    private Path place;
    private SemanticIndex index;

    @BeforeAll
    static void openModel() {
        encoder = NanoModel.open();
    }

    @AfterAll
    static void closeModel() {
        encoder.close();
    }

    @BeforeEach
    void open() throws IOException {
        folder = new FolderOfFiles(root);
        place = root.resolve(FolderIndex.DEFAULT_NAME);
        index = SemanticIndex.open(place, encoder);
        folder.put("a.txt", "a morbid fear of spiders");
        folder.put("b/c.md", "# Bakery\n\nwhere bread is made");
        folder.put("t.csv", "title,text\none,first\ntwo,second\nthree,third\n");
    }

    @AfterEach
    void close() throws IOException {
        index.close();
    }

    private FolderUpdate update(boolean removeMissing) throws IOException {
        return update(removeMissing, FolderOfFiles.options());
    }

    private FolderUpdate update(boolean removeMissing, FolderOptions options) throws IOException {
        return new FolderIndex(index, place, root, options).update(removeMissing, folder.listener, FolderProgress.NONE);
    }

    private Set<String> ids() throws IOException {
        Set<String> ids = new TreeSet<>();
        index.documents(Filter.not(Filter.equal("x", "y")), 1000).forEach(document -> ids.add(document.id()));
        return ids;
    }

    @Test
    void unchangedFilesAreNotReadAgain() throws IOException {
        FolderUpdate first = update(false);
        assertEquals(5, first.documents().added());
        assertEquals(3, first.files().filesRead());
        FolderUpdate second = update(true);
        assertEquals(0, second.documents().read());
        assertEquals(3, second.files().unchanged());
        assertEquals(0, second.removed());
        assertEquals(5, index.size());
        assertEquals(
                "c.md",
                Path.of(index.search("Bakery", SearchOptions.DEFAULT.withMode(SearchMode.BM25))
                                .getFirst()
                                .document()
                                .id())
                        .getFileName()
                        .toString());
    }

    @Test
    void changedFilesAreReadAndTouchedOnesNotEmbedded() throws IOException {
        update(false);
        folder.put("a.txt", "an instrument for measuring heat");
        Files.setLastModifiedTime(root.resolve("a.txt"), FileTime.from(FolderOfFiles.THEN.plusSeconds(9)));
        Files.setLastModifiedTime(root.resolve("b/c.md"), FileTime.from(FolderOfFiles.THEN.plusSeconds(9)));
        FolderUpdate update = update(false);
        assertEquals(2, update.documents().replaced());
        assertEquals(1, update.documents().embedded());
        assertEquals(
                "2026-01-31T23:00:08Z",
                index.documents(List.of("b/c.md"))
                        .getFirst()
                        .metadata()
                        .get("modified")
                        .orElseThrow());
    }

    /// The size and time of a file that was changed just now may stay the same when it is changed again.
    @Test
    void filesThatAreNewAreReadTwice() throws IOException {
        Files.writeString(root.resolve("new.txt"), "old");
        FileTime time = Files.getLastModifiedTime(root.resolve("new.txt"));
        update(false);
        Files.writeString(root.resolve("new.txt"), "new");
        Files.setLastModifiedTime(root.resolve("new.txt"), time);
        assertEquals(1, update(false).documents().replaced());
        assertEquals("new", index.documents(List.of("new.txt")).getFirst().text());
    }

    @Test
    void whatIsGoneIsRemovedIfAsked() throws IOException {
        update(false);
        index.add(List.of(Document.of("other", "from no file")));
        index.commit();
        Files.delete(root.resolve("a.txt"));
        folder.put("t.csv", "title,text\none,first\n");
        assertEquals(0, update(false).removed());
        assertEquals(6, index.size());
        // Also if nothing is read again: the records were gone when the file was read before.
        folder.put("t.csv", "title,text\none,first\n\n");
        assertEquals(4, update(true).removed());
        assertEquals(Set.of("b/c.md", "t.csv#1"), ids());
        folder.put("b/c.md", "");
        Files.delete(root.resolve("t.csv"));
        assertEquals(2, update(true).removed());
    }

    @Test
    void namesAreComparedRangeByRange() throws IOException {
        for (String name : List.of("b/d.md", "b0.md", "é.txt", "\uFF5E.txt", "\uD83D\uDE00.txt", "z.txt")) {
            folder.put(name, "text of " + name);
        }
        update(false);
        Set<String> before = ids();
        Files.delete(root.resolve("b0.md"));
        Files.delete(root.resolve("\uFF5E.txt"));
        FolderScan scan = FolderScan.of(root, Set.of());
        assertEquals(2, new Removal(index, 2).remove(scan, new ReadFiles()));
        before.removeAll(List.of("b0.md", "\uFF5E.txt"));
        assertEquals(before, ids());
        assertEquals(0, new Removal(index, 1).remove(scan, new ReadFiles()));
    }

    @Test
    void documentsOfFilesThatCannotBeReadNowAreKept() throws IOException {
        update(false);
        folder.put("t.csv", new byte[] {'a', 0});
        FolderUpdate update = update(true);
        assertEquals(0, update.removed());
        assertEquals(1, update.files().failures());
        assertTrue(ids().contains("t.csv#3"));
        FolderScan scan = FolderScan.of(root, Set.of());
        scan.files().removeIf(file -> file.name().startsWith("b/"));
        scan.failed().put("b", "permission denied");
        assertEquals(0, new Removal(index).remove(scan, new ReadFiles()));
    }

    @Test
    void damagedFilesAreToldAgainWithoutReadingThem() throws IOException {
        Path file = folder.put("bad.pdf", "no PDF at all");
        assertEquals(1, update(false).files().failures());
        String reason = folder.failed.get("bad.pdf");
        // Other bytes of the same size and time: whoever reads them will say something else.
        folder.put("bad.pdf", "%PDF-1.4 no P");
        folder.failed.clear();
        assertEquals(1, update(true).files().failures());
        assertEquals(reason, folder.failed.get("bad.pdf"));
        Files.delete(file);
        assertEquals(0, update(true).files().failures());
    }

    @Test
    void notesOfAnotherIndexOrWayOfReadingCountForNothing() throws IOException {
        update(false);
        assertEquals(
                3,
                update(false, FolderOfFiles.options().withMetadataFields(List.of("title")))
                        .files()
                        .filesRead());
        assertEquals(3, update(false).files().filesRead());
        Path notes = place.resolve(FileNotes.NAME);
        byte[] noted = Files.readAllBytes(notes);
        index.close();
        place = elsewhere.resolve("index");
        index = SemanticIndex.open(place, encoder);
        Files.write(place.resolve(FileNotes.NAME), noted);
        assertEquals(5, update(false).documents().added());
        Files.write(place.resolve(FileNotes.NAME), new byte[] {'{', 'x'});
        assertEquals(5, update(false).documents().unchanged());
        assertEquals(3, update(false).files().unchanged());
    }

    /// Whenever the process ends, no note says that a file is in the index as it is, unless it is.
    @Test
    void notesAreNeverAheadOfTheIndex() throws IOException {
        update(false);
        folder.put("a.txt", "changed and of another length");
        class Ended extends RuntimeException {
            private static final long serialVersionUID = 1L;
        }
        FolderIndex following = new FolderIndex(index, place, root, FolderOfFiles.options());
        assertThrows(
                Ended.class,
                () -> following.update(false, FolderListener.NONE, files -> new UpdateListener() {
                    @Override
                    public void batchRead() {
                        throw new Ended();
                    }
                }));
        // The old file comes back, with its time: the index has its text, and reading it again shows that.
        folder.put("a.txt", "a morbid fear of spiders");
        FolderUpdate update = update(false);
        assertEquals(1, update.files().filesRead());
        assertEquals(1, update.documents().unchanged());
        // A run that ends after the commit does not start again.
        folder.put("d.txt", "new");
        assertThrows(
                Ended.class,
                () -> following.update(false, FolderListener.NONE, files -> new UpdateListener() {
                    @Override
                    public void committed(UpdateReport soFar) {
                        throw new Ended();
                    }
                }));
        assertEquals(4, update(false).files().unchanged());
    }

    @Test
    void theIndexItselfIsNotRead() throws IOException {
        index.close();
        place = root.resolve("visible");
        index = SemanticIndex.open(place, encoder);
        update(false);
        update(false);
        assertFalse(ids().stream().anyMatch(id -> id.startsWith("visible")), ids().toString());
        assertFalse(folder.passedOver.keySet().stream().anyMatch(name -> name.startsWith("visible")));
    }
}
