package io.github.sgpt4j.tokenizer.step;

import io.github.sgpt4j.tokenizer.pattern.Splitter;
import io.github.sgpt4j.tokenizer.step.PreTokenizer.Behavior;
import io.github.sgpt4j.tokenizer.step.PreTokenizer.Words;

/// The implementation of [PreTokenizer.Split], for one thread at a time.
///
/// A text consists of parts that are matches and parts that are not. The last part is held back until
/// it is known whether the next one is merged with it.
final class Splitting implements Words {
    private final Splitter.Scan scan;
    private final Behavior behavior;
    private final boolean invert;
    private final Words out;

    private String text = "";
    private int from;
    private boolean first;

    private boolean pending;
    private int start;
    private int end;
    /// Whether the pending part ends with a match.
    private boolean match;

    /// @param invert whether matches of `scan` and the text between them swap roles
    Splitting(Splitter.Scan scan, Behavior behavior, boolean invert, Words out) {
        this.scan = scan;
        this.behavior = behavior;
        this.invert = invert;
        this.out = out;
    }

    @Override
    public void word(String text, int from, int to, boolean first) {
        this.text = text;
        this.from = from;
        this.first = first;
        scan.begin(text, from, to);
        if (behavior == Behavior.ISOLATED) {
            isolate(to);
        } else {
            join(to);
        }
    }

    /// Passes on every part separately.
    private void isolate(int to) {
        int done = from;
        while (scan.next()) {
            pass(done, scan.start());
            pass(scan.start(), scan.end());
            done = scan.end();
        }
        pass(done, to);
    }

    private void join(int to) {
        pending = false;
        int done = from;
        while (scan.next()) {
            if (scan.start() > done) {
                part(done, scan.start(), invert);
            }
            part(scan.start(), scan.end(), !invert);
            done = scan.end();
        }
        if (done < to) {
            part(done, to, invert);
        }
        passPending();
    }

    private void part(int partStart, int partEnd, boolean partMatch) {
        if (pending && joins(partMatch)) {
            end = partEnd;
        } else {
            passPending();
            start = partStart;
            end = partEnd;
        }
        pending = behavior != Behavior.REMOVED || !partMatch;
        match = partMatch;
    }

    /// Whether the next part is merged with the pending one.
    private boolean joins(boolean next) {
        return switch (behavior) {
            case REMOVED, ISOLATED -> false;
            case MERGED_WITH_PREVIOUS -> !match && next;
            case MERGED_WITH_NEXT -> match && !next;
            case CONTIGUOUS -> match == next;
        };
    }

    private void passPending() {
        if (pending) {
            pass(start, end);
        }
    }

    private void pass(int wordStart, int wordEnd) {
        if (wordStart < wordEnd) {
            out.word(text, wordStart, wordEnd, first && wordStart == from);
        }
    }
}
