package io.github.sgpt4j.weightstools.pickle;

import io.github.sgpt4j.weightstools.pickle.PickleValue.Tuple;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The interpreter's working memory: a stack with marks, and the memo. All of it is bounded.
final class PickleStack {
    private static final int MAX_DEPTH = 1 << 20;
    private static final int MAX_MARKS = 1 << 10;
    private static final int MAX_MEMO = 1 << 21;

    private final PickleInput input;
    private final Budget budget;
    private final List<PickleValue> values = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Long, PickleValue> memo = new HashMap<>();

    PickleStack(PickleInput input, Budget budget) {
        this.input = input;
        this.budget = budget;
    }

    void push(PickleValue value) {
        if (values.size() == MAX_DEPTH) {
            throw input.bad("expected at most %d values at once, got more".formatted(MAX_DEPTH));
        }
        values.add(value);
    }

    PickleValue pop() {
        top();
        return values.removeLast();
    }

    PickleValue top() {
        if (values.size() <= floor()) {
            throw input.bad("expected a value before this step, got none");
        }
        return values.getLast();
    }

    void mark() {
        if (marks.size() == MAX_MARKS) {
            throw input.bad("expected at most %d open marks, got more".formatted(MAX_MARKS));
        }
        marks.add(values.size());
    }

    /// Removes the values above the last mark, and the mark.
    List<PickleValue> popMarked() {
        if (marks.isEmpty()) {
            throw input.bad("expected a mark before this step, got none");
        }
        int from = marks.removeLast();
        List<PickleValue> tail = values.subList(from, values.size());
        budget.spend((long) Budget.REFERENCE * tail.size());
        List<PickleValue> items = new ArrayList<>(tail);
        tail.clear();
        return items;
    }

    /// Removes what POP removes: the last value, or the last mark if there is no value above it.
    void drop() {
        if (!marks.isEmpty() && marks.getLast() == values.size()) {
            marks.removeLast();
        } else {
            pop();
        }
    }

    Tuple popTuple(int count) {
        budget.spend(Budget.SMALL + (long) Budget.REFERENCE * count);
        List<PickleValue> items = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            items.addFirst(pop());
        }
        return new Tuple(items);
    }

    void remember(long index) {
        if (index < 0 || (memo.size() == MAX_MEMO && !memo.containsKey(index))) {
            throw input.bad("expected at most %d remembered values, got more".formatted(MAX_MEMO));
        }
        budget.spend(Budget.ENTRY);
        memo.put(index, top());
    }

    void rememberNext() {
        remember(memo.size());
    }

    void recall(long index) {
        PickleValue value = memo.get(index);
        if (value == null) {
            throw input.bad("expected the number of a remembered value, got %d".formatted(index));
        }
        push(value);
    }

    /// The only remaining value.
    PickleValue last() {
        PickleValue value = pop();
        if (!values.isEmpty() || !marks.isEmpty()) {
            throw input.bad("expected one value at the end, got more");
        }
        return value;
    }

    private int floor() {
        return marks.isEmpty() ? 0 : marks.getLast();
    }
}
