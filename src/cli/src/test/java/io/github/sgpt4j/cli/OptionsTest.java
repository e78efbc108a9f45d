package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Options that contradict each other, have no effect together, are empty, or have values that do not exist.
class OptionsTest {
    @TempDir
    Path folder;

    private static String[] words(String command) {
        return command.split(" ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "eval --data a --rerank 5|--rerank has no effect with --mode dense; --mode rerank",
                "eval --data a --mode bm25 --rerank 5|--rerank has no effect with --mode bm25; --mode rerank",
                "eval --data a --mode hybrid --rerank 5|--rerank has no effect with --mode hybrid; --mode rerank",
                "eval --data a --prompt x{}|--prompt has no effect with --mode dense",
                "eval --data a --mode bm25 --specb|--specb has no effect with --mode bm25",
                "eval --data a --mode bm25 --pooling mean|--pooling has no effect with --mode bm25",
                "eval --data a --mode rerank --no-specb|--specb has no effect with --mode rerank",
                "eval --data a --mode rerank --depth 10 --rerank 20|at most the 10 documents of --depth, got 20",
                "eval --data a --depth 10 --cutoffs 5,20|at most the 10 documents of --depth, got 20",
                "eval --data a --mode rerank --cutoffs 200|at most the 100 documents of --rerank, got 200",
                "eval --data a --cache c --no-cache|expected either --cache or --no-cache, got both",
                "eval --data a --qrels b|together, got only --qrels",
                "eval --run a --qrels b --specb|--specb has no effect with --run",
                "eval --run a --qrels b --no-cache|--no-cache has no effect with --run",
                "eval --run a --qrels b -m c|--model has no effect with --run, which needs no model",
                "eval --run a --qrels b --device cpu|--device has no effect with --run, which needs no model",
                "eval --useb a --rerank 5|--rerank has no effect with --useb",
                "eval --useb a --cutoffs 5|--cutoffs has no effect with --useb",
                "search --index a --mode bm25 --exact q|--exact has no effect with --mode bm25",
                "search --rerank -1 q|expected a whole number from 1 to 2147483647, got \"-1\"",
                "embed --specb x|--specb has no effect with --as text",
                "embed --as query --prompt-name a --prompt-query b x|expected either --prompt-name or --prompt-query, got both",
                "embed --as document --prompt-name a --prompt-document b x|either --prompt-name or --prompt-document",
                "embed --prompt-name= x|expected a name, got an empty one",
                "search --prompt-name a --prompt-query b q|expected either --prompt-name or --prompt-query, got both",
                "search --index a --mode bm25 --prompt-name a q|--prompt-name has no effect with --mode bm25",
                "index --corpus a --index b --prompt-name a --prompt-query b|either --prompt-name or --prompt-query",
                "index --merge a --index b --prompt-name a|--prompt-name has no effect with --merge",
                "verify --prompt-name a|--prompt-name has no effect without --index",
                "verify --index a --prompt-name a|--prompt-name has no effect with --index without -m",
                "verify --index a -m b --prompt-name a --prompt-query b|either --prompt-name or --prompt-query",
                "eval --data a --prompt-name a --prompt-query b|either --prompt-name or --prompt-query",
                "eval --data a --mode bm25 --prompt-name a|--prompt-name has no effect with --mode bm25",
                "eval --run a --qrels b --prompt-name a|--prompt-name has no effect with --run",
                "eval --useb a --prompt-name a|--prompt-name has no effect with --useb",
            })
    void refusesOptionsThatWouldHaveNoEffect(String command, String complaint) {
        String line = Cli.run(words(command)).failure(2);
        assertTrue(line.contains(complaint), line);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "embed -m @ x",
                "embed -o @ x",
                "embed -i @",
                "embed --device @ x",
                "embed --dtype @ x",
                "embed --pooling @ x",
                "index --corpus @ --index a",
                "index --corpus a --index @",
                "search --index @ x",
                "search --corpus @ x",
                "eval --run @ --qrels a",
                "eval --run a --qrels @",
                "eval --data @",
                "eval --useb @",
                "eval --data a --split @",
                "eval --data a --cache @",
                "eval --data a --report @",
                "eval --data a --save-run @",
                "eval --data a --cutoffs @",
                "verify -m @",
                "verify --sums @",
                "convert @",
                "convert a @",
                "download @",
                "download a/b --revision @"
            })
    void refusesEmptyNames(String command) {
        String[] arguments = words(command);
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = arguments[i].equals("@") ? "" : arguments[i];
        }
        String line = Cli.run(arguments).failure(2);
        assertTrue(line.contains("expected"), line);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "embed --as question x|--as': expected text, query or document, got \"question\"",
                "embed --format json x|--format': expected jsonl or npy, got \"json\"",
                "search --mode words x|--mode': expected dense, bm25 or hybrid, got \"words\"",
                "search --format csv x|--format': expected table or jsonl, got \"csv\"",
                "eval --data a --mode best|--mode': expected dense, bm25, hybrid or rerank, got \"best\"",
                "eval --data a --identical-ids some|--identical-ids': expected keep or drop, got \"some\"",
                "eval --data a --format text|--format': expected table or json, got \"text\"",
                "inspect --format xml|--format': expected text or json, got \"xml\"",
                "verify --format xml|--format': expected text or json, got \"xml\"",
                "bench --format xml|--format': expected text or json, got \"xml\""
            })
    void namesTheWordsThatAnOptionTakes(String command, String complaint) {
        String line = Cli.run(words(command)).failure(2);
        assertTrue(line.contains(complaint), line);
    }

    @Test
    void takesWordsInAnyCase() {
        assertEquals(
                Cli.run("embed", "--as", "query", "x").text(),
                Cli.run("embed", "--as", "QUERY", "--format", "JsonL", "x").text());
    }

    @Test
    void writesNumPyWhereTheNameSaysSo() throws IOException {
        Path file = folder.resolve("x.npy");
        assertEquals(0, Cli.run("embed", "-o", file.toString(), "x").code());
        assertEquals((byte) 0x93, Files.readAllBytes(file)[0]);
        assertEquals(
                0,
                Cli.run("embed", "-o", file.toString(), "--format", "jsonl", "x")
                        .code());
        assertTrue(Files.readString(file).startsWith("{\"index\":0"));
    }

    @Test
    void saysWhichModelOptionsAreWithoutEffect() throws IOException {
        Path corpus = Files.writeString(folder.resolve("a.txt"), "bread\nwater\n");
        String index = folder.resolve("index").toString();
        assertEquals(
                0,
                Cli.run("index", "--quiet", "--corpus", corpus.toString(), "--index", index)
                        .code());
        List<String> search = List.of("search", "--index", index, "--mode", "bm25", "bread", "-m", "absent");
        Cli.Result found = Cli.run(search.toArray(String[]::new));
        assertEquals(0, found.code(), found.err());
        assertEquals("sgpt: --mode bm25 without --rerank needs no model: ignored: --model\n", found.err());
    }

    @Test
    void anIndexIsNotOpenedWithOtherOptionsThanAskedFor() throws IOException {
        Path corpus = Files.writeString(folder.resolve("a.txt"), "bread\nwater\n");
        String index = folder.resolve("index").toString();
        String[] make = {"index", "--quiet", "--corpus", corpus.toString(), "--index", index, "--connections", "7"};
        assertEquals(0, Cli.run(make).code());
        make[make.length - 1] = "16";
        String line = Cli.run(make).failure(1);
        assertTrue(
                line.contains("made with vectors of 32 bits, 7 connections, beam width 100, passages of 256 tokens,"
                        + " overlapping by 32, and cannot be changed to vectors of 32 bits, 16 connections"),
                line);
    }

    @Test
    void saysHowManyDocumentsShareAnId() throws IOException {
        Path corpus = Files.writeString(
                folder.resolve("a.jsonl"),
                "{\"_id\":\"1\",\"text\":\"a\"}\n{\"_id\":\"1\",\"text\":\"b\"}\n{\"_id\":\"2\",\"text\":\"c\"}\n");
        String index = folder.resolve("index").toString();
        String said = Cli.run("index", "--corpus", corpus.toString(), "--index", index)
                .err();
        assertTrue(said.contains("documents replaced by a later one with the same id: 1\n"), said);
        assertFalse(Cli.run("search", "--index", index, "--format", "jsonl", "-k", "2147483647", "a")
                .text()
                .contains("\"text\":\"a\""));
    }
}
