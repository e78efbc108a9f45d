package io.github.sgpt4j.cli.search;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.cli.command.CorpusOptions;
import io.github.sgpt4j.cli.command.ModelCommand;
import io.github.sgpt4j.cli.console.Failures;
import io.github.sgpt4j.cli.input.Corpus;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.model.DemoVectors;
import io.github.sgpt4j.cli.model.ModelLocation;
import io.github.sgpt4j.cli.progress.ProgressDisplay;
import io.github.sgpt4j.documents.FolderReader;
import io.github.sgpt4j.retrieval.MemoryIndex;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.evaluation.CachedEmbedder;
import io.github.sgpt4j.retrieval.evaluation.TextEmbedder;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.filter.FilterNotices;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/// The documents of a corpus, or the demo corpus, in memory, and their vectors.
final class MemoryCorpus {
    private final ModelCommand command;
    private final CorpusOptions reading;
    private final Optional<String> name;
    private List<Document> documents = List.of();

    /// @param name of the corpus, if it is not the demo corpus
    MemoryCorpus(ModelCommand command, CorpusOptions reading, Optional<String> name) {
        this.command = command;
        this.reading = reading;
        this.name = name;
    }

    /// Reads the documents, and says which names of metadata none of them has.
    ///
    /// @param where a filter that will be used, if any
    /// @param accepted whether only documents that it accepts are kept
    /// @throws IOException if they cannot be read
    void load(Optional<Filter> where, boolean accepted) throws IOException {
        List<Document> all = name.isEmpty() ? Corpus.demo() : read(name.get());
        String shown = name.orElse("demo corpus");
        Set<String> fields = new TreeSet<>(reading.metadataFields());
        if (where.isPresent()) {
            command.noticeMetadata(
                    shown,
                    FilterNotices.of(
                            where.get(), all.stream().map(Document::metadata).toList()));
            fields.removeAll(where.get().names());
        }
        command.noticeAbsentMetadata(shown, Corpus.absentMetadata(all, fields));
        documents = all.stream()
                .filter(document -> !accepted
                        || where.map(f -> f.matches(document.metadata())).orElse(true))
                .toList();
    }

    private List<Document> read(String corpus) throws IOException {
        if (CorpusOptions.isFolder(corpus)) {
            try (FolderReader reader =
                    FolderReader.open(TextInput.path(corpus), reading.folder(command), reading.listener(command))) {
                List<Document> read = Corpus.load(reader, corpus);
                reading.report(command, corpus, reader.report());
                return read;
            }
        }
        try (CorpusReader reader = reading.open(command, corpus)) {
            return Corpus.load(reader, corpus);
        }
    }

    /// Embeds the documents.
    ///
    /// @param passages how long ones are split, if it is not as usual
    /// @param demo whether these are vectors of the demo corpus by the built-in model, which have a file of
    ///     their own
    /// @param keep whether vectors are kept in the user's cache for the next search of the same texts
    /// @throws IOException if the cache cannot be closed
    MemoryIndex index(Model model, BiEncoder encoder, Optional<PassageOptions> passages, boolean demo, boolean keep)
            throws IOException {
        // None of the demo corpus is long.
        if (demo && !documents.isEmpty()) {
            float[][] vectors = new DemoVectors(command.common().modelOptions().dtype()).get(() -> compute(encoder));
            return new MemoryIndex(encoder.dimension(), encoder.similarity(), documents, vectors);
        }
        try (ProgressDisplay progress = progress();
                CachedEmbedder embedder = embedder(model, encoder, keep)) {
            return MemoryIndex.of(
                    encoder,
                    documents,
                    passages.orElseGet(() -> PassageOptions.of(encoder)),
                    (texts, listener) -> embedder.embed(texts, TextKind.DOCUMENT, listener),
                    progress.between(0, documents.size()));
        } catch (IllegalArgumentException e) {
            throw command.usage(String.valueOf(e.getMessage()));
        }
    }

    private CachedEmbedder embedder(Model model, BiEncoder encoder, boolean keep) {
        TextEmbedder plain = TextEmbedder.of(encoder);
        boolean hasCache = command.console().isSet("HOME") || command.console().isSet("XDG_CACHE_HOME");
        if (!keep || !hasCache) {
            return CachedEmbedder.withoutCache(plain);
        }
        Path folder = new ModelLocation(command.console(), command.common().quiet(), false).cache("search");
        try {
            return CachedEmbedder.open(plain, folder, command.cacheKey(model, encoder.fingerprint()), command::notice);
        } catch (IOException e) {
            command.notice("%s: vectors are not kept: %s".formatted(folder, Failures.sentence(e)));
            return CachedEmbedder.withoutCache(plain);
        }
    }

    private float[][] compute(BiEncoder encoder) {
        try (ProgressDisplay progress = progress()) {
            List<String> texts = documents.stream().map(Document::joined).toList();
            return encoder.embed(texts, TextKind.DOCUMENT, progress.between(0, documents.size()));
        }
    }

    private ProgressDisplay progress() {
        return ProgressDisplay.start(
                command.console(), command.common().quiet(), "embed corpus", OptionalLong.of(documents.size()));
    }
}
