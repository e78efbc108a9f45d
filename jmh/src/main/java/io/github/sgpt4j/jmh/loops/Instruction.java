package io.github.sgpt4j.jmh.loops;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One x86-64 instruction as objdump prints it: AT&T order, so the last operand is the one that is written.
///
/// @param routine where a call or a jump out of the code goes to, as the JVM notes it; empty if it notes nothing
record Instruction(long address, String name, List<String> operands, String routine) {
    private static final Pattern LINE = Pattern.compile("\\s*([0-9a-f]+):\\s+([^#<]*).*");
    private static final Pattern PREFIXES = Pattern.compile("^((lock|repn?z?|bnd|notrack|data16|[cdefgs]s)\\s+)+");
    private static final Pattern COMMA = Pattern.compile(",(?![^(]*\\))");
    private static final Pattern VECTOR = Pattern.compile("%[xyz]mm\\d+.*");
    private static final Pattern GENERAL = Pattern.compile("%[re]?[a-ds][a-z0-9]+|%r\\d+[dwb]?");
    /// Moves of whole vectors, to and from memory or between registers.
    private static final Pattern MOVE = Pattern.compile("v?mov([au]p[sd]|dq[au](8|16|32|64)?)|v?lddqu");
    /// What touches one number only: moves, arithmetic, conversions.
    private static final Pattern SCALAR =
            Pattern.compile("v?mov[dq]|(?!v?broadcast).*s[sd][lq]?|v?cvtt?s[sd]2u?si[lq]?|vzeroupper|vzeroall");
    private static final Pattern MULTIPLY_ADD = Pattern.compile("vfn?m(add|sub|addsub|subadd)\\d+p[sd]");
    /// What clears a register, of whatever use it is.
    private static final Pattern LOGIC = Pattern.compile("v?p?xor(ps|pd|d|q)?");

    /// Reads a line of objdump's output; empty if it is no instruction.
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

    /// A jump that is always taken.
    boolean isJump() {
        return name.equals("jmp");
    }

    boolean isBranch() {
        return name.startsWith("j") && !isJump();
    }

    /// Whether it hands back to the caller.
    boolean isReturn() {
        return name.startsWith("ret");
    }

    /// Whether what follows it in memory is not what runs next: a call into the interpreter does not come back.
    boolean endsFlow() {
        return isReturn()
                || isJump()
                || name.equals("hlt")
                || name.startsWith("ud")
                || isCall() && (routine.contains("UncommonTrap") || routine.contains("Deoptimization"));
    }

    /// Where a jump or branch goes to.
    OptionalLong target() {
        if (!isJump() && !isBranch() || !operands.getFirst().startsWith("0x")) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(Long.parseUnsignedLong(operands.getFirst().substring(2), 16));
    }

    /// Arithmetic, comparison, shuffle or broadcast of vectors.
    boolean isArithmetic() {
        return usesVectors()
                && !MOVE.matcher(name).matches()
                && !SCALAR.matcher(name).matches()
                && !clears();
    }

    boolean isMultiplyAdd() {
        return MULTIPLY_ADD.matcher(name).matches();
    }

    /// Reads a vector from memory that is not the stack, by itself or as an operand.
    boolean isLoad() {
        return isPacked() && reads().stream().anyMatch(o -> o.contains("(") && !isStack(o));
    }

    /// Writes a vector to memory that is not the stack.
    boolean isStore() {
        return isPacked() && written().contains("(") && !isStack(written());
    }

    /// Writes a vector register to the stack.
    boolean isSpill() {
        return usesVectors() && isStack(written());
    }

    /// Reads a vector register, or an operand of one, from the stack.
    boolean isReload() {
        return usesVectors() && reads().stream().anyMatch(Instruction::isStack);
    }

    /// Reads or writes a general register's place on the stack.
    boolean isGeneralOnStack() {
        return !usesVectors() && operands.stream().anyMatch(Instruction::isStack) && !isPoll();
    }

    /// Moves a general register into a vector register.
    boolean isPark() {
        return isSingleMove()
                && GENERAL.matcher(operands.getFirst()).matches()
                && VECTOR.matcher(written()).matches();
    }

    /// Whether it writes a vector register, of whatever width.
    ///
    /// @param register as `%xmm1`
    boolean writesVector(String register) {
        return isVector(written(), register);
    }

    /// Moves a general register back out of a vector register.
    boolean isUnpark() {
        return isSingleMove()
                && VECTOR.matcher(operands.getFirst()).matches()
                && GENERAL.matcher(written()).matches();
    }

    /// Writes to the thread: an object was allocated there.
    boolean isAllocation() {
        return name.startsWith("mov") && operands.size() == 2 && written().endsWith("(%r15)")
                || name.startsWith("prefetch");
    }

    /// Whether it reads a vector register, of whatever width.
    ///
    /// @param register as `%xmm1`
    boolean readsVector(String register) {
        return reads().stream().anyMatch(o -> isVector(o, register));
    }

    /// The operand that is written; empty if there is none.
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
