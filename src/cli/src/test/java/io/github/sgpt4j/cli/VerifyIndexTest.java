package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `sgpt verify --index`: its report as text and JSON, its message and its exit code.
class VerifyIndexTest {
    @TempDir
    private Path folder;

    private Path corpus;
    private Path index;

    @BeforeEach
    void makeIndex() throws IOException {
        corpus = Files.writeString(folder.resolve("corpus.txt"), "spiders\na place where bread is made\n");
        index = folder.resolve("index");
        Cli.Result made =
                Cli.run("index", "--corpus", corpus.toString(), "--index", index.toString(), "--int8", "--quiet");
        assertEquals(0, made.code(), made.err());
    }

    private Cli.Result verify(String... more) {
        List<String> arguments = new ArrayList<>(List.of("verify", "--index", index.toString()));
        arguments.addAll(List.of(more));
        return Cli.run(arguments.toArray(String[]::new));
    }

    private void flip(String end) throws IOException {
        Path file;
        try (Stream<Path> files = Files.list(index)) {
            file = files.filter(f -> f.getFileName().toString().matches(end))
                    .findFirst()
                    .orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
    }

    @Test
    void aSoundIndexNeedsNoModelAndGivesALinePerCheck() {
        Cli.Result result = verify();
        assertEquals(0, result.code(), result.err());
        assertEquals("", result.err());
        for (String line : List.of(
                "directory +" + index,
                "model +nano-specb-\\S+ \\(dimension 256, pooling weightedmean, fingerprint [0-9a-f]+\\)",
                "similarity +cosine",
                "graph +int8, 16 connections, beam width 100",
                "ok +commit +segments_\\w+: 1 parts, 2 passages",
                "ok +metadata +made with model nano.*",
                "ok +checksums +[0-9]+ files, [0-9,]+ bytes",
                "ok +structure +words, texts, columns and vectors of 1 parts",
                "ok +ids +2, each leads to its document",
                "ok +texts +2, as they were embedded",
                "ok +document_metadata +0 documents have some, as they were written",
                "ok +vectors +2 of dimension 256",
                "skipped +model +none given",
                "sound")) {
            assertTrue(result.text().lines().anyMatch(l -> l.matches(line)), line + " in " + result.text());
        }
    }

    @Test
    void theModelIsComparedIfOneIsNamed() {
        Cli.Result same = verify("-m", NanoModel.directory().toString());
        assertEquals(0, same.code(), same.err());
        assertTrue(same.text().lines().anyMatch(l -> l.matches("ok +model +the one given")), same.text());
        Cli.Result other = verify("-m", Cli.model("gptneo-be"));
        assertEquals(1, other.code());
        assertEquals(1, other.err().lines().count(), other.err());
        assertTrue(other.err().contains("cannot be used with model gptneo-be"), other.err());
        assertFalse(other.err().contains("delete"), other.err());
    }

    @Test
    void aDamagedIndexIsToldInTheReportAndInOneSentence() throws IOException {
        flip("_0\\.cfs");
        Cli.Result result = verify();
        assertEquals(1, result.code());
        assertTrue(
                result.err()
                        .matches(
                                "sgpt: \\S+: expected a sound index, got a problem: file _0\\.cfs: checksum failed: .*;"
                                        + " delete the directory and make the index again with sgpt index --corpus CORPUS"
                                        + " --index DIR\n"),
                result.err());
        assertTrue(
                result.text().lines().anyMatch(l -> l.matches("WRONG +checksums +file _0.cfs: checksum failed.*")),
                result.text());
        assertTrue(result.text().endsWith("\nnot sound\n"), result.text());
        String search = Cli.run("search", "--index", index.toString(), "bread").failure(1);
        assertTrue(search.startsWith(index + ": broken index: file _0.cfs: checksum failed"), search);
        String update = Cli.run("index", "--corpus", corpus.toString(), "--index", index.toString())
                .failure(1);
        assertTrue(update.startsWith(index + ": broken index: file _0.cfs: checksum failed"), update);
    }

    @Test
    void jsonIsOneObject() throws IOException {
        JsonNode sound = Cli.parse(verify("--format", "json").text());
        assertTrue(sound.get("sound").booleanValue());
        assertEquals(256, sound.get("model").get("dimension").intValue());
        assertEquals("int8", sound.get("vectors").textValue());
        assertEquals(9, sound.get("checks").size());
        sound.get("checks")
                .forEach(check -> assertEquals(
                        check.get("check").textValue().equals("model") ? "skipped" : "ok",
                        check.get("outcome").textValue()));
        flip("segments_.*");
        Cli.Result result = verify("--format", "json");
        assertEquals(1, result.code());
        JsonNode broken = Cli.parse(result.text());
        assertFalse(broken.get("sound").booleanValue());
        assertFalse(broken.has("model"));
        assertEquals("wrong", broken.get("checks").get(0).get("outcome").textValue());
    }

    @Test
    void anIndexIsVerifiedWhileSomethingWritesIt() throws IOException {
        try (BiEncoder encoder = BiEncoder.open(NanoModel.directory());
                SemanticIndex writer = SemanticIndex.open(index, encoder)) {
            writer.add(List.of(Document.of("x", "heat")));
            assertTrue(verify().text().contains(": 1 parts, 2 passages"));
            writer.commit();
            assertTrue(verify().text().contains(": 2 parts, 3 passages"));
        }
    }

    @Test
    void whatIsNoIndexIsOneSentence() throws IOException {
        for (String name : List.of("corpus.txt", "absent", "empty")) {
            index = folder.resolve(name);
            if (name.equals("empty")) {
                Files.createDirectory(index);
            }
            Cli.Result result = verify();
            assertEquals("", result.text());
            assertTrue(result.failure(1).startsWith(index + ": expected "), result.err());
        }
        assertTrue(verify("--sums", corpus.toString()).failure(2).contains("--sums has no effect with --index"));
        assertTrue(verify("--base-model", "x").failure(2).contains("--base-model has no effect"));
    }

    @Test
    void everyShardOfAFolderIsVerified() throws IOException {
        Path shards = folder.resolve("shards");
        for (int i = 0; i < 2; i++) {
            Path part = Files.writeString(
                    folder.resolve("part.jsonl"), "{\"_id\": \"%d\", \"text\": \"spiders\"}".formatted(i));
            String to = shards.resolve("part-0000" + i).toString();
            assertEquals(
                    0,
                    Cli.run("index", "--corpus", part.toString(), "--index", to, "--quiet")
                            .code());
        }
        Files.writeString(shards.resolve("_SUCCESS"), "{\"format\":1,\"shards\":2,\"documents\":2}");
        index = shards;
        Cli.Result sound = verify();
        assertEquals(0, sound.code(), sound.err());
        for (String line : List.of(
                "directory +" + shards,
                "ok +checksums +in each of 2 shards",
                "ok +shards +2, as many as were written, made in one way, each id in one of them",
                "sound")) {
            assertTrue(sound.text().lines().anyMatch(l -> l.matches(line)), line + " in " + sound.text());
        }
        index = shards.resolve("part-00001");
        flip("_0\\.cfs");
        index = shards;
        Cli.Result result = verify("--format", "json");
        assertEquals(1, result.code());
        JsonNode report = Cli.parse(result.text());
        assertFalse(report.get("sound").booleanValue());
        assertEquals(10, report.get("checks").size());
        assertTrue(
                result.err()
                        .matches("sgpt: \\S+shards: expected a sound index, got a problem: part-00001: file _0\\.cfs:"
                                + " checksum failed: .*; put a sound copy of the shard there, or write the folder"
                                + " again\n"),
                result.err());
    }
}
