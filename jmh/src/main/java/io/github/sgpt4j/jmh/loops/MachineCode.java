package io.github.sgpt4j.jmh.loops;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A compiled method as printed by `-XX:CompileCommand=print` in a JVM without a disassembler.
///
/// The bytes are printed in hexadecimal, in groups of four, between `[Verified Entry Point]` and `[Exception
/// Handler]`, with annotations of call targets in between.
///
/// @param type class with its package, dots between the names
/// @param descriptor of the method, as in class files
/// @param osr whether it was compiled for on-stack replacement, with an entry in the middle of a loop
/// @param address of the first byte
/// @param routines the JVM's annotations of calls and jumps out of the code, by the address of their group of bytes
record MachineCode(
        String type,
        String method,
        String descriptor,
        boolean osr,
        long address,
        byte[] bytes,
        Map<Long, String> routines) {
    private static final Pattern COMPILED = Pattern.compile("Compiled method \\(c2\\)\\s+\\d+\\s+\\d+\\s(.*)");
    private static final Pattern METHOD =
            Pattern.compile("\\s+# \\{method\\} \\{\\S+\\} '([^']+)' '([^']+)' in '([^']+)'");
    private static final Pattern BYTES = Pattern.compile("\\s+0x([0-9a-f]+): ((?:[0-9a-f]{2,4}[ |]*)+)");
    private static final Pattern NOTE = Pattern.compile("\\s+0x([0-9a-f]+): ;\\s+\\{([\\w ]*call\\b.*)\\}.*");

    /// The methods that C2 compiled, in order of compilation.
    static List<MachineCode> read(List<String> lines) {
        List<MachineCode> found = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            Matcher compiled = COMPILED.matcher(lines.get(i));
            if (compiled.matches()) {
                int end = i + 1;
                while (end < lines.size() && !lines.get(end).startsWith("[/MachCode]")) {
                    end++;
                }
                // Such as `%     4       Tiles::tile6 @ 12 (34 bytes)` for on-stack replacement.
                boolean osr = compiled.group(1).contains("%");
                readOne(lines.subList(i, end), osr, found);
                i = end;
            }
        }
        return found;
    }

    private static void readOne(List<String> lines, boolean osr, List<MachineCode> found) {
        String[] names = null;
        StringBuilder hex = new StringBuilder();
        Map<Long, String> routines = new TreeMap<>();
        long start = -1;
        for (String line : lines) {
            if (line.startsWith("[Exception Handler]") || line.startsWith("[Stub Code]")) {
                break;
            }
            Matcher method = METHOD.matcher(line);
            Matcher bytes = BYTES.matcher(line);
            Matcher note = NOTE.matcher(line);
            if (method.matches()) {
                names = new String[] {method.group(1), method.group(2), method.group(3)};
            } else if (note.matches()) {
                routines.put(Long.parseUnsignedLong(note.group(1), 16), note.group(2));
            } else if (names != null && bytes.matches()) {
                if (start < 0) {
                    start = Long.parseUnsignedLong(bytes.group(1), 16);
                }
                hex.append(bytes.group(2).replaceAll("[ |]", ""));
            }
        }
        if (names != null && start >= 0) {
            byte[] code = HexFormat.of().parseHex(hex);
            found.add(new MachineCode(names[2].replace('/', '.'), names[0], names[1], osr, start, code, routines));
        }
    }

    /// The target of the call or jump at an address.
    String routine(long address) {
        return routines.getOrDefault(address & -4L, "");
    }
}
