package io.github.sgpt4j.retrieval.passage;

import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.util.ArrayList;
import java.util.List;

/// Splits documents into passages that a model reads whole: at ends of sentences, with the title in front of
/// each. A sentence that is longer than a passage is cut at ends of lines or words. A document that fits is
/// one passage. The work grows with a text's length, whatever the text. Safe to share between threads if the
/// counter is.
public final class PassageSplitter {
    /// Most of a passage that a title may take.
    private static final int TITLE_SHARE = 2;

    /// A long sentence is cut into pieces of at least this share of a passage, so that they are few.
    private static final int PIECE_SHARE = 8;

    private final PassageOptions options;
    private final TokenCounter counter;
    private final int around;

    /// A sentence or a piece of one.
    ///
    /// @param tokens of it alone
    private record Unit(int start, int end, int tokens) {}

    /// @param options not off
    /// @param counter of the model that will read the passages
    /// @throws IllegalArgumentException if the options are off, or what the model puts around each text
    ///     leaves fewer than 16 tokens for it
    public PassageSplitter(PassageOptions options, TokenCounter counter) {
        this.options = options;
        this.counter = counter;
        around = counter.count("");
        if (options.tokens() - around < PassageOptions.MIN_TOKENS) {
            throw new IllegalArgumentException("passage tokens: expected at least %d, got %d"
                    .formatted(PassageOptions.MIN_TOKENS + around, options.tokens()));
        }
    }

    /// The passages of a document.
    public SplitText split(Document document) {
        String text = document.text();
        if (TextRecord.strip(text).isEmpty() || fits(document.joined())) {
            return SplitText.whole(document);
        }
        int most = options.tokens() - around;
        String title = TextRecord.strip(document.title().orElse(""));
        int titleTokens = title.isEmpty() ? 0 : tokens(title + " ");
        boolean titleCut = titleTokens > most / TITLE_SHARE;
        if (titleCut) {
            int end = new LongText(title, this::tokens).end(0, title.length(), most / TITLE_SHARE - 1);
            title = TextRecord.strip(title.substring(0, end));
            titleTokens = tokens(title + " ");
        }
        List<TextRange> ranges = pack(text, title, Math.max(1, most - titleTokens));
        List<String> texts = new ArrayList<>();
        for (TextRange range : ranges) {
            texts.add(SplitText.joined(title, range.of(text)));
        }
        return new SplitText(ranges, texts, titleCut);
    }

    /// Counts only texts that may be too long: a token has at least one character of ASCII.
    private boolean fits(String joined) {
        boolean isShort =
                joined.length() < options.tokens() - around && joined.chars().allMatch(c -> c < 0x80);
        return isShort || counter.count(joined) <= options.tokens();
    }

    /// Without what is put around each text.
    private int tokens(String text) {
        return Math.max(0, counter.count(text) - around);
    }

    /// @param room tokens of the text in a passage
    private List<TextRange> pack(String text, String title, int room) {
        List<Unit> units = units(text, room);
        List<TextRange> ranges = new ArrayList<>();
        int first = 0;
        int next = 0;
        while (next < units.size()) {
            int sum = 0;
            for (int i = first; i < next; i++) {
                sum += units.get(i).tokens;
            }
            // What overlaps gives way to what is new.
            while (first < next && sum + units.get(next).tokens > room) {
                sum -= units.get(first).tokens;
                first++;
            }
            int last = next;
            sum += units.get(next).tokens;
            while (last + 1 < units.size() && sum + units.get(last + 1).tokens <= room) {
                last++;
                sum += units.get(last).tokens;
            }
            last = shrunk(text, title, units, first, next, last);
            if (last < next) {
                if (first < next) {
                    first = next;
                } else {
                    halve(text, units, next);
                }
                continue;
            }
            add(ranges, text, units.get(first).start, units.get(last).end);
            next = last + 1;
            first = overlapping(units, first, last);
        }
        return ranges;
    }

    /// Counts a passage as a whole, since tokens may differ where sentences meet, and leaves sentences away
    /// until it fits.
    ///
    /// @return the last unit, or less than `next` if not even that fits and it can be divided
    private int shrunk(String text, String title, List<Unit> units, int first, int next, int last) {
        int end = last;
        while (end >= next) {
            String passage = text.substring(units.get(first).start, units.get(end).end);
            int over = counter.count(SplitText.joined(title, passage)) - options.tokens();
            boolean single = first == next && end == next;
            if (over <= 0 || single && !isDivisible(text, units.get(next))) {
                return end;
            }
            while (over > 0 && end >= next) {
                over -= Math.max(1, units.get(end).tokens);
                end--;
            }
        }
        return end;
    }

    private static boolean isDivisible(String text, Unit unit) {
        return text.codePointCount(unit.start, unit.end) > 1;
    }

    private void halve(String text, List<Unit> units, int index) {
        Unit unit = units.get(index);
        int middle = text.offsetByCodePoints(unit.start, text.codePointCount(unit.start, unit.end) / 2);
        int good = TextBoundaries.before(text, unit.start, middle);
        int place = good > unit.start && good < unit.end ? good : middle;
        units.set(index, unit(text, unit.start, place));
        units.add(index + 1, unit(text, place, unit.end));
    }

    private Unit unit(String text, int start, int end) {
        return new Unit(start, end, tokens(text.substring(start, end)));
    }

    /// The first unit of the next passage, after one from `begin` to `last`.
    private int overlapping(List<Unit> units, int begin, int last) {
        int first = last + 1;
        int sum = 0;
        while (first - 1 > begin && sum + units.get(first - 1).tokens <= options.overlap() && options.overlap() > 0) {
            first--;
            sum += Math.max(1, units.get(first).tokens);
        }
        return first;
    }

    /// Sentences, and pieces of those that do not fit.
    private List<Unit> units(String text, int room) {
        List<Unit> units = new ArrayList<>();
        Sentences sentences = new Sentences(text);
        LongText longText = new LongText(text, this::tokens);
        int piece =
                options.overlap() == 0 ? room : Math.clamp(options.overlap(), Math.max(1, room / PIECE_SHARE), room);
        for (int start = 0; start < text.length(); ) {
            int end = sentences.next();
            Unit unit = unit(text, start, end);
            if (unit.tokens <= room) {
                units.add(unit);
            } else {
                for (int from = start; from < end; ) {
                    int to = longText.end(from, end, piece);
                    units.add(unit(text, from, to));
                    from = to;
                }
            }
            start = end;
        }
        return units;
    }

    /// Adds a range without white space around it, if that has anything new.
    private static void add(List<TextRange> ranges, String text, int start, int end) {
        String part = text.substring(start, end);
        String stripped = TextRecord.strip(part);
        int from = start + (stripped.isEmpty() ? 0 : part.indexOf(stripped.charAt(0)));
        int to = from + stripped.length();
        if (stripped.isEmpty() || !ranges.isEmpty() && ranges.getLast().end() >= to) {
            return;
        }
        if (!ranges.isEmpty() && ranges.getLast().start() >= from) {
            ranges.removeLast();
        }
        ranges.add(new TextRange(from, to));
    }
}
