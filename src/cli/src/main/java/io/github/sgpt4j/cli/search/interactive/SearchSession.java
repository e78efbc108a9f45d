package io.github.sgpt4j.cli.search.interactive;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.output.DocumentView;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.SearchOptions;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Answers what is typed at the prompt until the end of the lines or `:quit`.
public final class SearchSession {
    private static final double NANOS_PER_MILLI = 1e6;

    private static final String HELP = """
            A line without a colon is a query. Commands:
              :mode dense|bm25|hybrid   search by meaning, by words, or by both
              :k N                      show N documents
              :where FILTER, :where off only documents with such metadata, or all
              :rerank N, :rerank off    let the model re-order the first N, or not
              :open N                   show the whole document of rank N
              :why N                    tell why the document of rank N was found
              :quit                     end (also Ctrl-D)
            """;

    private final InteractiveSearch search;
    private final Console console;
    private final Results results;
    private SearchOptions options;
    private String query = "";
    private List<Hit> hits = List.of();

    /// Writes the documents found.
    @FunctionalInterface
    public interface Results {
        /// @param columns of the terminal, 0 if unknown
        void write(String query, List<Hit> hits, int columns) throws IOException;
    }

    /// @param console answers other than results go to its stderr
    public SearchSession(InteractiveSearch search, Console console, Results results) {
        this.search = search;
        this.console = console;
        this.results = results;
        options = search.options();
    }

    /// Answers all lines.
    ///
    /// @throws IOException if documents cannot be read or results not be written
    public void answer(TypedLines lines) throws IOException {
        for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
            if (!answer(Request.of(line.get()), lines.columns())) {
                return;
            }
        }
    }

    /// @return whether to go on
    private boolean answer(Request request, int columns) throws IOException {
        switch (request) {
            case Request.Quit _ -> {
                return false;
            }
            case Request.Nothing _ -> {
                return true;
            }
            case Request.Help _ -> print(HELP);
            case Request.Wrong(String sentence) -> print(sentence + "\n");
            case Request.Query(String text) -> find(text, columns);
            case Request.Open(int rank) ->
                hit(rank).ifPresent(hit -> print(view(columns).whole(query, hit)));
            case Request.Why(int rank) ->
                hit(rank).ifPresent(hit -> print(view(columns).why(query, hit, rank, options, search.similarity())));
            case Request.Where(var filter) -> {
                options = filter.isPresent() ? options.withFilter(filter.get()) : options.withoutFilter();
                if (filter.isPresent()) {
                    search.notices(filter.get()).forEach(sentence -> print(sentence + "\n"));
                }
                again(columns);
            }
            case Request.Count(int documents) -> {
                options = options.withLimit(documents);
                again(columns);
            }
            case Request.Mode(var mode) -> {
                if (mode.isEmpty()) {
                    print(options.mode().name().toLowerCase(Locale.ROOT) + "\n");
                } else {
                    change(options.withMode(mode.get()), columns);
                }
            }
            case Request.Rerank(int documents) -> change(options.withRerank(documents), columns);
        }
        return true;
    }

    private void change(SearchOptions wanted, int columns) throws IOException {
        Optional<String> refusal = search.refusal(wanted.mode(), wanted.rerank() > 0);
        if (refusal.isPresent()) {
            print(refusal.get() + "\n");
            return;
        }
        options = wanted;
        again(columns);
    }

    /// The last query with other settings.
    private void again(int columns) throws IOException {
        if (!query.isEmpty()) {
            find(query, columns);
        }
    }

    private void find(String text, int columns) throws IOException {
        long start = System.nanoTime();
        hits = search.search(text, options);
        query = text;
        double millis = (System.nanoTime() - start) / NANOS_PER_MILLI;
        results.write(query, hits, columns);
        print(String.format(Locale.ROOT, "%d found in %.1f ms%n%n", hits.size(), millis));
    }

    private Optional<Hit> hit(int rank) {
        if (rank <= hits.size()) {
            return Optional.of(hits.get(rank - 1));
        }
        print(
                hits.isEmpty()
                        ? "nothing was found yet\n"
                        : "expected a rank from 1 to %d, got %d\n".formatted(hits.size(), rank));
        return Optional.empty();
    }

    private DocumentView view(int columns) {
        return new DocumentView(columns, console.colours());
    }

    private void print(String text) {
        console.err().print(text);
        console.err().flush();
    }
}
