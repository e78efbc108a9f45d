package io.github.sgpt4j.jmh.loops;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One x86-64 instruction as printed by objdump, in AT&T order: the last operand is the destination.
///
/// @param routine the target of a call or jump out of the code, as annotated by the JVM; empty without annotation
record Instruction(long address, String name, List<String> operands, String routine) {
    private static final Pattern LINE = Pattern.compile("\\s*([0-9a-f]+):\\s+([^#<]*).*");
    private static final Pattern PREFIXES = Pattern.compile("^((lock|repn?z?|bnd|notrack|data16|[cdefgs]s)\\s+)+");
    private static final Pattern COMMA = Pattern.compile(",(?![^(]*\\))");
    private static final Pattern VECTOR = Pattern.compile("%[xyz]mm\\d+.*");
    private static final Pattern GENERAL = Pattern.compile("%[re]?[a-ds][a-z0-9]+|%r\\d+[dwb]?");
    /// Moves of whole vectors, to and from memory or between registers.
    private static final Pattern MOVE = Pattern.compile("v?mov([au]p[sd]|dq[au](8|16|32|64)?)|v?lddqu");
    /// Instructions on a single number: moves, arithmetic, conversions.
    private static final Pattern SCALAR =
            Pattern.compile("v?mov[dq]|(?!v?broadcast).*s[sd][lq]?|v?cvtt?s[sd]2u?si[lq]?|vzeroupper|vzeroall");
    private static final Pattern MULTIPLY_ADD = Pattern.compile("vfn?m(add|sub|addsub|subadd)\\d+p[sd]");
    /// Instructions that can clear a register.
    private static final Pattern LOGIC = Pattern.compile("v?p?xor(ps|pd|d|q)?");

    /// Parses a line of objdump's output; empty if it is not an instruction.
    static Optional<Instruction> parse(String line) {
        Matcher matcher = LINE.matcher(line);
        if (!matcher.matches() || matcher.group(2).isBlank()) {
            return Optional.empty();
        }
        String text = PREFIXES.matcher(matcher.group(2).strip()).replaceFirst("");
        int space = text.indexOf(' ');
        String name = space < 0 ? text : text.substring(0, space);
        List<String> operands = new ArrayList<>();
        if (space >= 0) {
            for (String operand : COMMA.split(text.substring(space))) {
                operands.add(operand.strip());
            }
        }
        return Optional.of(new Instruction(Long.parseUnsignedLong(matcher.group(1), 16), name, operands, ""));
    }

    Instruction withRoutine(String routine) {
        return new Instruction(address, name, operands, routine);
    }

    boolean isCall() {
        return name.startsWith("call");
    }

    /// Whether it is an unconditional jump.
    boolean isJump() {
        return name.equals("jmp");
    }

    boolean isBranch() {
        return name.startsWith("j") && !isJump();
    }

    /// Whether it returns to the caller.
    boolean isReturn() {
        return name.startsWith("ret");
    }

    /// Whether execution does not continue with the next instruction in memory: a call into the interpreter
    /// does not return.
    boolean endsFlow() {
        return isReturn()
                || isJump()
                || name.equals("hlt")
                || name.startsWith("ud")
                || isCall() && (routine.contains("UncommonTrap") || routine.contains("Deoptimization"));
    }

    /// The target of a jump or branch.
    OptionalLong target() {
        if (!isJump() && !isBranch() || !operands.getFirst().startsWith("0x")) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(Long.parseUnsignedLong(operands.getFirst().substring(2), 16));
    }

    /// Whether it is arithmetic, comparison, shuffle or broadcast of vectors.
    boolean isArithmetic() {
        return usesVectors()
                && !MOVE.matcher(name).matches()
                && !SCALAR.matcher(name).matches()
                && !clears();
    }

    boolean isMultiplyAdd() {
        return MULTIPLY_ADD.matcher(name).matches();
    }

    /// Whether it reads a vector from memory other than the stack, as a load or as an operand.
    boolean isLoad() {
        return isPacked() && reads().stream().anyMatch(o -> o.contains("(") && !isStack(o));
    }

    /// Whether it writes a vector to memory other than the stack.
    boolean isStore() {
        return isPacked() && written().contains("(") && !isStack(written());
    }

    /// Whether it writes a vector register to the stack.
    boolean isSpill() {
        return usesVectors() && isStack(written());
    }

    /// Whether it reads a vector register, or an operand for one, from the stack.
    boolean isReload() {
        return usesVectors() && reads().stream().anyMatch(Instruction::isStack);
    }

    /// Whether it reads or writes a general register's slot on the stack.
    boolean isGeneralOnStack() {
        return !usesVectors() && operands.stream().anyMatch(Instruction::isStack) && !isPoll();
    }

    /// Whether it moves a general register into a vector register.
    boolean isPark() {
        return isSingleMove()
                && GENERAL.matcher(operands.getFirst()).matches()
                && VECTOR.matcher(written()).matches();
    }

    /// Whether it writes a vector register, at any width.
    ///
    /// @param register such as `%xmm1`
    boolean writesVector(String register) {
        return isVector(written(), register);
    }

    /// Whether it moves a general register back from a vector register.
    boolean isUnpark() {
        return isSingleMove()
                && VECTOR.matcher(operands.getFirst()).matches()
                && GENERAL.matcher(written()).matches();
    }

    /// Whether it allocates an object: it then writes to a field of the thread.
    boolean isAllocation() {
        return name.startsWith("mov") && operands.size() == 2 && written().endsWith("(%r15)")
                || name.startsWith("prefetch");
    }

    /// Whether it reads a vector register, at any width.
    ///
    /// @param register such as `%xmm1`
    boolean readsVector(String register) {
        return reads().stream().anyMatch(o -> isVector(o, register));
    }

    /// The destination operand; empty if there is none.
    String written() {
        return operands.isEmpty() ? "" : operands.getLast();
    }

    private List<String> reads() {
        return operands.isEmpty() ? operands : operands.subList(0, operands.size() - 1);
    }

    private boolean usesVectors() {
        return operands.stream().anyMatch(o -> VECTOR.matcher(o).matches());
    }

    private boolean isPacked() {
        return usesVectors() && !SCALAR.matcher(name).matches();
    }

    private boolean isSingleMove() {
        return operands.size() == 2 && name.matches("v?mov[dq]");
    }

    private boolean clears() {
        return LOGIC.matcher(name).matches() && operands.stream().distinct().count() == 1;
    }

    /// A safepoint poll compares the stack pointer with a field of the thread.
    private boolean isPoll() {
        return operands.stream().anyMatch(o -> o.endsWith("(%r15)"));
    }

    private static boolean isVector(String operand, String register) {
        return operand.matches("%[xyz]mm" + register.substring("%xmm".length()) + "(\\{.*)?");
    }

    private static boolean isStack(String operand) {
        return operand.contains("(%rsp");
    }
}
