package io.github.sgpt4j.jmh.loops;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// The report on one compiled method: its main loop, and the faults of all its loops.
///
/// @param facts of the loop with the most vector instructions, which is the unrolled one, or of all code if the
///     method has no loop
/// @param faults empty if there are none
record LoopReport(LoopFacts facts, List<String> faults) {
    static final String HEADER = """
            | Method | Bits | Vector instructions | of these multiply-adds | Loads | Stores | To the stack | From it \
            | Parked | General on the stack | Verdict |
            |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|""";

    /// @param allowed number of known moves through the stack or of parked registers in an iteration
    static LoopReport of(LoopForm form, int allowed, List<Instruction> code) {
        FlowGraph graph = new FlowGraph(code);
        List<List<Instruction>> innermost = new ArrayList<>(graph.innermostLoops());
        innermost.sort(Comparator.comparingInt(List::size));
        List<LoopFacts> loops = innermost.reversed().stream()
                .map(LoopFacts::of)
                .sorted(Comparator.comparingInt(LoopFacts::vectors).reversed())
                .toList();
        LoopFacts all = LoopFacts.of(graph.straight());
        LoopFacts main = loops.isEmpty() ? all : loops.getFirst();
        List<String> faults = new ArrayList<>();
        if (form == LoopForm.VECTORS && (loops.isEmpty() || !main.hasVectors())) {
            faults.add("no vector loop");
        }
        if (form == LoopForm.UNROLLED) {
            faults.addAll(all.faults());
        }
        for (int i = 0; i < loops.size() && loops.get(i).hasVectors(); i++) {
            List<String> found = faults(loops.get(i), main, allowed);
            String where = i == 0 ? "" : " in a loop of " + loops.get(i).vectors() + " vector instructions";
            found.forEach(fault -> faults.add(fault + where));
        }
        return new LoopReport(main, faults);
    }

    /// The faults of a loop. The compiler puts small loops before and after the one that it unrolls, for the
    /// remaining iterations; a parked address does no harm there.
    private static List<String> faults(LoopFacts loop, LoopFacts main, int allowed) {
        List<String> faults = new ArrayList<>();
        if (loop.moves() > allowed) {
            faults.addAll(loop.stackFaults());
            if (2 * loop.vectors() > main.vectors()) {
                faults.addAll(loop.parkFaults());
            }
        }
        faults.addAll(loop.heapFaults());
        return faults;
    }

    /// The row of the table.
    String row(String title, int bits) {
        return "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %s |"
                .formatted(
                        title,
                        bits,
                        facts.vectors(),
                        facts.multiplyAdds(),
                        facts.loads(),
                        facts.stores(),
                        facts.spills(),
                        facts.reloads(),
                        facts.parked(),
                        facts.generalOnStack(),
                        faults.isEmpty() ? verdict() : "**" + String.join("; ", faults) + "**");
    }

    private String verdict() {
        if (!facts.hasVectors()) {
            return "no vectors";
        }
        return facts.moves() == 0 ? "good" : "known";
    }
}
