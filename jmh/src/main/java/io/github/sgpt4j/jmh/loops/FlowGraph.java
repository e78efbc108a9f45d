package io.github.sgpt4j.jmh.loops;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/// The control flow graph of a method's instructions, and its loops.
///
/// A loop is a strongly connected component: each instruction can reach every other. That is independent of where the
/// compiler puts the blocks: code at the end of the method that jumps back belongs to the loop, calls that never
/// return do not.
final class FlowGraph {
    private final List<Instruction> code;
    private final List<List<Integer>> next = new ArrayList<>();
    private final List<List<Integer>> previous = new ArrayList<>();
    /// The instructions that can be reached from the entry; padding cannot.
    private final BitSet reachable;

    FlowGraph(List<Instruction> code) {
        this.code = code;
        Map<Long, Integer> index = new HashMap<>();
        for (int i = 0; i < code.size(); i++) {
            index.put(code.get(i).address(), i);
            next.add(new ArrayList<>());
            previous.add(new ArrayList<>());
        }
        BitSet all = new BitSet();
        all.set(0, code.size());
        for (int i = 0; i < code.size(); i++) {
            OptionalLong target = code.get(i).target();
            Integer to = target.isPresent() ? index.get(target.getAsLong()) : null;
            if (to != null) {
                next.get(i).add(to);
            }
            if (!code.get(i).endsFlow() && i + 1 < code.size()) {
                next.get(i).add(i + 1);
            }
        }
        reachable = code.isEmpty() ? all : reach(0, all, next);
        reachable.stream()
                .forEach(i -> next.get(i).forEach(to -> previous.get(to).add(i)));
    }

    /// The innermost loops, in code order.
    List<List<Instruction>> innermostLoops() {
        List<BitSet> loops = new ArrayList<>();
        collect(reachable, loops);
        return loops.stream().map(this::instructions).toList();
    }

    /// The instructions that may run between entry and return.
    List<Instruction> straight() {
        BitSet useful = new BitSet();
        reachable.stream().filter(i -> code.get(i).isReturn()).forEach(i -> useful.or(reach(i, reachable, previous)));
        return instructions(useful);
    }

    private List<Instruction> instructions(BitSet set) {
        return set.stream().mapToObj(code::get).toList();
    }

    /// Adds the innermost loops among some instructions. A loop is split into inner loops by removing its entry
    /// points.
    private void collect(BitSet within, List<BitSet> loops) {
        BitSet done = new BitSet();
        for (int from = within.nextSetBit(0); from >= 0; from = within.nextSetBit(from + 1)) {
            for (int to : next.get(from)) {
                if (to <= from && within.get(to) && !done.get(from)) {
                    BitSet loop = reach(to, within, next);
                    loop.and(reach(to, within, previous));
                    if (loop.get(from)) {
                        done.or(loop);
                        int before = loops.size();
                        collect(withoutEntries(loop), loops);
                        if (loops.size() == before) {
                            loops.add(loop);
                        }
                    }
                }
            }
        }
    }

    private BitSet withoutEntries(BitSet loop) {
        BitSet rest = new BitSet();
        // A method is entered at its first instruction.
        loop.stream()
                .filter(i -> i != 0 && previous.get(i).stream().allMatch(loop::get))
                .forEach(rest::set);
        return rest;
    }

    /// The instructions reachable from one, including itself, along edges inside a set.
    private static BitSet reach(int start, BitSet within, List<List<Integer>> edges) {
        BitSet seen = new BitSet();
        seen.set(start);
        Deque<Integer> open = new ArrayDeque<>(List.of(start));
        while (!open.isEmpty()) {
            for (int to : edges.get(open.pop())) {
                if (within.get(to) && !seen.get(to)) {
                    seen.set(to);
                    open.push(to);
                }
            }
        }
        return seen;
    }
}
