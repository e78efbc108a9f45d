package io.github.sgpt4j.documents.folder;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.github.sgpt4j.documents.kind.NoText;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Which files an index has the documents of, with their sizes and times, in a file of the index's folder.
/// So unchanged files need not be read again. A file is noted only after its documents were committed, and
/// its note is removed from the disk before it is read again: whenever a process is killed, the notes name
/// no file whose documents in the index are older or incomplete. Notes of another index, folder or way of
/// reading count for nothing, and so do damaged ones.
public final class FileNotes {
    /// The file's name.
    public static final String NAME = "sgpt-files.jsonl";

    private static final JsonMapper JSON = new JsonMapper();

    private final Path file;
    private final String key;
    private final Map<String, Note> notes = new LinkedHashMap<>();

    /// @param state when it was read
    /// @param reason why it has no documents; empty if it may have some
    /// @param failure what is wrong with it; empty if nothing is
    private record Note(FileState state, Optional<NoText> reason, Optional<String> failure) {}

    private FileNotes(Path file, String key) {
        this.file = file;
        this.key = key;
    }

    /// The notes of an index, or none if they do not fit.
    ///
    /// @param index its folder
    /// @param key names the index, the folder of files, and how they are read
    /// @throws IOException if there are notes that cannot be read
    public static FileNotes of(Path index, String key) throws IOException {
        FileNotes read = new FileNotes(index.resolve(NAME), key);
        if (Files.exists(read.file) && !read.load()) {
            read.notes.clear();
        }
        return read;
    }

    /// Whether all of it could be understood.
    private boolean load() throws IOException {
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            String first = lines.readLine();
            if (first == null || !JSON.readTree(first).path("key").asText().equals(key)) {
                return false;
            }
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                JsonNode note = JSON.readTree(line);
                String reason = note.path(3).asText("");
                String failure = note.path(4).asText("");
                notes.put(
                        note.path(0).asText(),
                        new Note(
                                new FileState(
                                        note.path(1).asLong(-1), note.path(2).asLong()),
                                reason.isEmpty() ? Optional.empty() : Optional.of(NoText.valueOf(reason)),
                                failure.isEmpty() ? Optional.empty() : Optional.of(failure)));
            }
            return true;
        } catch (JsonProcessingException | CharacterCodingException | IllegalArgumentException e) {
            return false;
        }
    }

    /// Whether a file is as it was when it was read.
    public boolean isUnchanged(FolderFile file) {
        Note note = notes.get(file.name());
        return note != null && note.state.equals(file.state());
    }

    /// Why an unchanged file has no documents; empty if it may have some.
    public Optional<NoText> reason(FolderFile file) {
        return Optional.ofNullable(notes.get(file.name())).flatMap(Note::reason);
    }

    /// What is wrong with the content of an unchanged file; empty if nothing is.
    public Optional<String> failure(FolderFile file) {
        return Optional.ofNullable(notes.get(file.name())).flatMap(Note::failure);
    }

    /// Notes a file whose documents are committed.
    ///
    /// @param reason why it has no documents; empty if it may have some
    public void add(FolderFile file, Optional<NoText> reason) {
        notes.put(file.name(), new Note(file.state(), reason, Optional.empty()));
    }

    /// Notes a file whose content cannot be read, or not to its end.
    public void addFailure(FolderFile file, String failure) {
        notes.put(file.name(), new Note(file.state(), Optional.empty(), Optional.of(failure)));
    }

    /// Forgets all files but some.
    ///
    /// @return whether any was forgotten
    public boolean retain(Set<String> names) {
        return notes.keySet().retainAll(names);
    }

    /// Writes the notes, in one step.
    ///
    /// @throws IOException if they cannot be written
    public void save() throws IOException {
        Path work = file.resolveSibling(NAME + ".new");
        try (BufferedWriter out = Files.newBufferedWriter(work)) {
            out.write(JsonNodeFactory.instance.objectNode().put("key", key).toString());
            out.write('\n');
            for (Map.Entry<String, Note> entry : notes.entrySet()) {
                ArrayNode line = JsonNodeFactory.instance.arrayNode();
                line.add(entry.getKey())
                        .add(entry.getValue().state.size())
                        .add(entry.getValue().state.modified());
                line.add(entry.getValue().reason.map(NoText::name).orElse(""));
                line.add(entry.getValue().failure.orElse(""));
                out.write(line.toString());
                out.write('\n');
            }
        }
        Files.move(work, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
}
