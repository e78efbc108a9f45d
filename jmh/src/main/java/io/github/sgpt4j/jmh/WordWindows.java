package io.github.sgpt4j.jmh;

import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/// Many distinct short English texts: windows of consecutive words from the built-in corpus and, with
/// `-Dcorpus=PATH`, from another collection, in equal shares.
final class WordWindows {
    private static final int MIN_WORDS = 4;
    private static final int MAX_WORDS = 12;

    private final List<List<String[]>> sources = new ArrayList<>();
    private final Random random;

    WordWindows(long seed) throws IOException {
        random = new Random(seed);
        sources.add(words(CorpusReader.ofJsonLines(NanoModel.corpus(), "demo corpus")));
        Optional<Path> other = Settings.corpus();
        if (other.isPresent()) {
            sources.add(words(CorpusReader.open(other.get())));
        }
    }

    private static List<String[]> words(CorpusReader reader) throws IOException {
        List<String[]> texts = new ArrayList<>();
        try (reader) {
            while (reader.hasNext()) {
                Document document = reader.next();
                String[] words = document.joined().split("\\s+");
                if (words.length >= MIN_WORDS) {
                    texts.add(words);
                }
            }
        }
        return texts;
    }

    /// Distinct texts.
    List<String> take(int count) {
        Set<String> taken = new LinkedHashSet<>();
        long tries = 0;
        while (taken.size() < count) {
            if (++tries > 100L * count) {
                throw new IllegalStateException("the collections have fewer than %d windows".formatted(count));
            }
            taken.add(window());
        }
        return List.copyOf(taken);
    }

    private String window() {
        List<String[]> source = sources.get(random.nextInt(sources.size()));
        String[] words = source.get(random.nextInt(source.size()));
        int length = Math.min(words.length, random.nextInt(MIN_WORDS, MAX_WORDS + 1));
        int start = random.nextInt(words.length - length + 1);
        return String.join(" ", Arrays.asList(words).subList(start, start + length));
    }
}
