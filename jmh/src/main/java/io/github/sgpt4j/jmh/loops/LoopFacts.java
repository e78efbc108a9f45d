package io.github.sgpt4j.jmh.loops;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The instruction counts of one iteration of a loop, and its faults.
///
/// @param vectors vector instructions: arithmetic, loads and stores
/// @param multiplyAdds fused multiply-adds among them
/// @param spills vector registers written to the stack
/// @param reloads vector registers, or operands of vector instructions, read from the stack
/// @param parked moves of general registers to vector registers to keep them there, and back
/// @param generalOnStack instructions that read or write general registers on the stack, which is cheap
/// @param calls calls that return
/// @param allocations objects allocated on the heap
record LoopFacts(
        int vectors,
        int multiplyAdds,
        int loads,
        int stores,
        int spills,
        int reloads,
        int parked,
        int generalOnStack,
        int calls,
        int allocations) {

    static LoopFacts of(List<Instruction> loop) {
        return new LoopFacts(
                count(loop, i -> i.isArithmetic() || i.isLoad() || i.isStore()),
                count(loop, Instruction::isMultiplyAdd),
                count(loop, Instruction::isLoad),
                count(loop, Instruction::isStore),
                count(loop, Instruction::isSpill),
                count(loop, Instruction::isReload),
                parked(loop),
                count(loop, Instruction::isGeneralOnStack),
                count(loop, i -> i.isCall() && !i.routine().contains("barrier")),
                count(loop, Instruction::isAllocation));
    }

    private static int count(List<Instruction> loop, Predicate<Instruction> what) {
        return (int) loop.stream().filter(what).count();
    }

    /// A general register moved to a vector register is parked there if it is moved back, or if nothing in the
    /// loop reads it. Values written or read by arithmetic are data.
    private static int parked(List<Instruction> loop) {
        int parked = 0;
        for (int i = 0; i < loop.size(); i++) {
            Instruction move = loop.get(i);
            if (move.isPark()) {
                Predicate<Instruction> reads = other -> other.readsVector(move.written());
                parked += next(loop, i, reads)
                                .filter(reader -> !reader.isUnpark())
                                .isPresent()
                        ? 0
                        : 1;
            } else if (move.isUnpark()) {
                String register = move.operands().getFirst();
                Predicate<Instruction> writes = other -> other.writesVector(register);
                parked += next(loop.reversed(), loop.size() - 1 - i, writes)
                                .filter(writer -> !writer.isPark())
                                .isPresent()
                        ? 0
                        : 1;
            }
        }
        return parked;
    }

    /// The next instruction after a given one that satisfies a condition, once around the loop.
    private static Optional<Instruction> next(List<Instruction> loop, int after, Predicate<Instruction> what) {
        List<Instruction> later = loop.subList(after + 1, loop.size());
        List<Instruction> earlier = loop.subList(0, after);
        return Stream.concat(later.stream(), earlier.stream()).filter(what).findFirst();
    }

    boolean hasVectors() {
        return vectors > 0;
    }

    /// Moves that are due to a lack of registers.
    int moves() {
        return spills + reloads + parked;
    }

    /// All faults of the loop; empty if there are none.
    List<String> faults() {
        List<String> faults = new ArrayList<>(stackFaults());
        faults.addAll(parkFaults());
        faults.addAll(heapFaults());
        return faults;
    }

    /// Faults by vector registers on the stack.
    List<String> stackFaults() {
        List<String> faults = new ArrayList<>();
        add(faults, spills, "to the stack");
        add(faults, reloads, "from the stack");
        return faults;
    }

    /// Faults by general registers in vector registers.
    List<String> parkFaults() {
        List<String> faults = new ArrayList<>();
        add(faults, parked, "moves of parked general registers");
        return faults;
    }

    /// Faults by calls and allocations.
    List<String> heapFaults() {
        List<String> faults = new ArrayList<>();
        add(faults, calls, "calls");
        add(faults, allocations, "allocations");
        return faults;
    }

    private static void add(List<String> faults, int count, String what) {
        if (count > 0) {
            faults.add(count + " " + what);
        }
    }
}
