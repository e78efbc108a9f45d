package io.github.sgpt4j.jmh.loops;

/// A method whose loops are checked.
///
/// @param allowed number of known moves through the stack or of parked registers in an iteration
/// @param type class with its package
/// @param descriptor as in class files
record LoopName(LoopForm form, int allowed, String type, String method, String descriptor) {
    /// Parses the output of [#line].
    static LoopName parse(String line) {
        String[] parts = line.split(" ", 5);
        return new LoopName(LoopForm.valueOf(parts[0]), Integer.parseInt(parts[1]), parts[2], parts[3], parts[4]);
    }

    /// All components as a line for [#parse].
    String line() {
        return String.join(" ", form.name(), String.valueOf(allowed), type, method, descriptor);
    }

    /// A short name such as `Norms.sum`.
    String title() {
        return type.substring(type.lastIndexOf('.') + 1) + "." + method;
    }

    /// The name in the form of JVM options.
    String pattern() {
        return type + "::" + method + descriptor;
    }

    boolean matches(MachineCode code) {
        return code.type().equals(type)
                && code.method().equals(method)
                && code.descriptor().equals(descriptor);
    }
}
