package io.github.sgpt4j.jmh;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.nano.NanoModel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;

/// English texts with the lengths of a retrieval collection: from a given collection, or concatenated sentences of
/// the built-in corpus.
///
/// Lengths of generated documents are log-normally distributed with median 165 words and a spread of ln 1.65, about
/// as in Cranfield (abstracts; a quarter has more than 300 tokens); queries have 5 to 22 words, about 16 tokens.
/// For training there are texts as short as those of MS MARCO, see [#triples].
public final class Texts {
    private static final double MEDIAN_WORDS = 165;
    private static final double SPREAD = Math.log(1.65);
    private static final int MIN_WORDS = 20;
    private static final int MAX_WORDS = 700;

    private static final double PASSAGE_MEDIAN_WORDS = 53;
    private static final double PASSAGE_SPREAD = Math.log(1.45);
    private static final int PASSAGE_MAX_WORDS = 200;

    private Texts() {}

    /// Documents, the same in every call; fewer if the collection has fewer.
    public static List<String> documents(int count) {
        if (Settings.corpus().isPresent()) {
            return chosen(read(Settings.corpus().get()), count, 1);
        }
        Random random = new Random(1);
        Sentences sentences = new Sentences(2);
        List<String> documents = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            double words = MEDIAN_WORDS * Math.exp(SPREAD * random.nextGaussian());
            documents.add(sentences.text((int) Math.clamp(words, MIN_WORDS, MAX_WORDS)));
        }
        return documents;
    }

    /// Documents with at least [Settings#DOCUMENT_TOKENS] words, so that all are truncated to that many tokens.
    public static List<String> longDocuments(int count) {
        Sentences sentences = new Sentences(3);
        List<String> documents = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            documents.add(sentences.text(Settings.DOCUMENT_TOKENS + 10));
        }
        return documents;
    }

    /// Texts of made-up words in lower case, nearly all of which occur only once, so that a cache of words does
    /// not help.
    public static List<String> unknownWords(int count) {
        return varied(count, 6, "az");
    }

    /// Texts of letters from many scripts, ideographs and symbols, in words that nearly all occur only once.
    public static List<String> manyScripts(int count) {
        return varied(count, 7, "azAZ09àÿαωаяאתあんアン一龥가힣😀🙏");
    }

    /// Texts of 150 words with 2 to 12 characters, each word from one of the ranges.
    ///
    /// @param ranges the first and last character of each range
    private static List<String> varied(int count, long seed, String ranges) {
        int[] bounds = ranges.codePoints().toArray();
        Random random = new Random(seed);
        List<String> texts = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            StringBuilder text = new StringBuilder();
            for (int word = 0; word < 150; word++) {
                int range = 2 * random.nextInt(bounds.length / 2);
                int length = 2 + random.nextInt(11);
                for (int c = 0; c < length; c++) {
                    text.appendCodePoint(random.nextInt(bounds[range], bounds[range + 1] + 1));
                }
                text.append(' ');
            }
            texts.add(text.toString().strip());
        }
        return texts;
    }

    /// Queries, the same in every call; fewer if the collection has fewer.
    public static List<String> queries(int count) {
        if (Settings.queries().isPresent()) {
            return chosen(read(Settings.queries().get()), count, 4);
        }
        return generated(count);
    }

    /// Any number of generated texts as long as queries, the same in every call.
    public static List<String> generated(int count) {
        Random random = new Random(4);
        Sentences sentences = new Sentences(5);
        List<String> texts = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            texts.add(sentences.text(5 + random.nextInt(18)));
        }
        return texts;
    }

    /// Generated texts with the lengths of MS MARCO's queries and passages, the same in every call. Every third text,
    /// from the first on, is a query; the others are passages.
    ///
    /// Queries have 3 to 10 words, about 9 tokens; the lengths of passages are log-normally distributed with a
    /// median of 53 words and a spread of ln 1.45, about 75 tokens on average.
    public static List<String> triples(int count) {
        Random random = new Random(9);
        Sentences sentences = new Sentences(10);
        List<String> texts = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            double passage = PASSAGE_MEDIAN_WORDS * Math.exp(PASSAGE_SPREAD * random.nextGaussian());
            int words = i % 3 == 0 ? 3 + random.nextInt(8) : (int) Math.clamp(passage, 10, PASSAGE_MAX_WORDS);
            texts.add(sentences.text(words));
        }
        return texts;
    }

    /// Distinct texts, fewer if there are fewer: equal texts would be computed only once.
    private static List<String> chosen(List<String> from, int count, long seed) {
        List<String> texts = new ArrayList<>(new LinkedHashSet<>(from));
        Collections.shuffle(texts, new Random(seed));
        return List.copyOf(texts.subList(0, Math.min(count, texts.size())));
    }

    private static List<String> read(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return read(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> read(InputStream in) throws IOException {
        ObjectMapper json = new ObjectMapper();
        BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        List<String> texts = new ArrayList<>();
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            if (line.isBlank()) {
                continue;
            }
            JsonNode node = json.readTree(line);
            String text =
                    (node.path("title").asText("") + " " + node.path("text").asText("")).strip();
            if (!text.isEmpty()) {
                texts.add(text);
            }
        }
        return texts;
    }

    /// Concatenates sentences of the built-in corpus.
    private static final class Sentences {
        private final List<String> all;
        private final Random random;

        Sentences(long seed) {
            try (InputStream in = NanoModel.corpus()) {
                all = read(in);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            random = new Random(seed);
        }

        String text(int words) {
            StringBuilder text = new StringBuilder();
            int left = words;
            while (left > 0) {
                for (String word : all.get(random.nextInt(all.size())).split(" ")) {
                    if (left-- > 0) {
                        text.append(text.isEmpty() ? "" : " ").append(word);
                    }
                }
                text.append('.');
            }
            return text.toString();
        }
    }
}
