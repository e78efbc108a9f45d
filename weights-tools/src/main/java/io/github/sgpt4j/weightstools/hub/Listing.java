package io.github.sgpt4j.weightstools.hub;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// The files of a repository at a commit, as the hub's API lists them. Reading a listing takes memory
/// for the names only, whatever else a server sends.
///
/// @param commit the commit's hash
/// @param entries by path
record Listing(String commit, Map<String, Entry> entries) {
    private static final int MAX_ENTRIES = 100_000;
    private static final int MAX_PATH = 1024;
    private static final JsonFactory JSON = new JsonFactory();

    /// What the listing says about a file, which may be nothing.
    ///
    /// @param bytes its length
    /// @param etag SHA-256 of a large file, git's hash of any other
    record Entry(OptionalLong bytes, Optional<String> etag) {}

    /// @param json closed at the end
    /// @throws HubException if it is not a listing, or contains names that no repository has
    static Listing read(HubRepository repository, InputStream json) throws IOException {
        try (JsonParser parser = JSON.createParser(json)) {
            return new Reader(repository, parser).read();
        } catch (JsonProcessingException e) {
            throw new HubException(
                    "%s: list of files: not valid JSON: %s".formatted(repository.id(), Unreadable.problem(e)), e);
        }
    }

    private static final class Reader {
        private final HubRepository repository;
        private final JsonParser json;
        private final Map<String, Entry> entries = new LinkedHashMap<>();
        private String commit = "";

        Reader(HubRepository repository, JsonParser json) {
            this.repository = repository;
            this.json = json;
        }

        private HubException bad(String expected, String got) {
            return new HubException("%s: list of files: expected %s, got %s".formatted(repository.id(), expected, got));
        }

        Listing read() throws IOException {
            require(json.nextToken(), JsonToken.START_OBJECT, "an object");
            boolean listed = false;
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String key = json.currentName();
                JsonToken value = json.nextToken();
                if (key.equals("sha")) {
                    require(value, JsonToken.VALUE_STRING, "a string as \"sha\"");
                    commit = json.getText();
                } else if (key.equals("siblings")) {
                    require(value, JsonToken.START_ARRAY, "a list as \"siblings\"");
                    listed = true;
                    siblings();
                } else {
                    json.skipChildren();
                }
            }
            if (!RepositoryName.isCommit(commit)) {
                throw bad("the hash of a commit as \"sha\"", Quoted.of(commit));
            }
            if (!listed) {
                throw bad("\"siblings\"", "no such key");
            }
            return new Listing(commit, entries);
        }

        private void require(JsonToken got, JsonToken expected, String name) throws HubException {
            if (got != expected) {
                throw bad(name, Unreadable.kind(got));
            }
        }

        private void siblings() throws IOException {
            while (json.nextToken() != JsonToken.END_ARRAY) {
                require(json.currentToken(), JsonToken.START_OBJECT, "an object for each file");
                if (entries.size() == MAX_ENTRIES) {
                    throw bad("at most %,d files".formatted(MAX_ENTRIES), "more");
                }
                sibling();
            }
        }

        private void sibling() throws IOException {
            String path = "";
            String blob = "";
            String sha256 = "";
            OptionalLong bytes = OptionalLong.empty();
            OptionalLong largeBytes = OptionalLong.empty();
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String key = json.currentName();
                JsonToken value = json.nextToken();
                switch (key) {
                    case "rfilename" -> path = text(value, key);
                    case "blobId" -> blob = text(value, key);
                    case "size" -> bytes = number(value, key);
                    case "lfs" -> {
                        if (value != JsonToken.START_OBJECT) {
                            json.skipChildren();
                            break;
                        }
                        while (json.nextToken() != JsonToken.END_OBJECT) {
                            String part = json.currentName();
                            JsonToken inner = json.nextToken();
                            switch (part) {
                                case "sha256", "oid" -> sha256 = text(inner, part);
                                case "size" -> largeBytes = number(inner, part);
                                default -> json.skipChildren();
                            }
                        }
                    }
                    default -> json.skipChildren();
                }
            }
            requirePath(path);
            String tag = sha256.isEmpty() ? blob : sha256;
            Entry entry = new Entry(
                    largeBytes.isPresent() ? largeBytes : bytes,
                    Optional.of(tag).filter(text -> !text.isEmpty()));
            if (entries.put(path, entry) != null) {
                throw bad("each file once", Quoted.of(path) + " twice");
            }
        }

        private String text(JsonToken value, String key) throws IOException {
            if (value == JsonToken.VALUE_NULL) {
                return "";
            }
            require(value, JsonToken.VALUE_STRING, "a string as \"%s\"".formatted(key));
            return json.getText();
        }

        private OptionalLong number(JsonToken value, String key) throws IOException {
            if (value == JsonToken.VALUE_NULL) {
                return OptionalLong.empty();
            }
            require(value, JsonToken.VALUE_NUMBER_INT, "a whole number as \"%s\"".formatted(key));
            return OptionalLong.of(json.getLongValue());
        }

        /// Git allows no such names, so a server that sends one may be an attacker.
        private void requirePath(String path) throws HubException {
            boolean bad = path.isEmpty()
                    || path.length() > MAX_PATH
                    || path.indexOf('\0') >= 0
                    || Arrays.stream(path.split("/", -1))
                            .anyMatch(part -> part.isEmpty() || part.equals(".") || part.equals(".."));
            if (bad) {
                throw bad("paths below the repository", Quoted.of(path));
            }
        }
    }
}
