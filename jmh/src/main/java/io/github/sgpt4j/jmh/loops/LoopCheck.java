package io.github.sgpt4j.jmh.loops;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Inspects the code that C2 generated for the CPU backend's loops. Fails if a vector loop spills registers to the
/// stack, keeps general registers in vector registers, makes calls or allocates.
///
/// For each vector width, a separate JVM calls the methods of [HotLoops] and prints their code, which objdump
/// disassembles.
final class LoopCheck {
    private static final String USAGE = """
            usage: jmh/loops [OPTION...] [JAVA OPTION...]
              --bits 128,256    vector widths (default: all that the machine supports)
              --only REGEX      only methods whose name, such as Norms.sum, contains a match
              --keep FOLDER     keep the disassembled code in this folder
              JAVA OPTION       for the JVM whose code is inspected, such as -XX:UseAVX=1""";

    private final List<String> javaOptions = new ArrayList<>();
    private List<Integer> widths = List.of(128, 256, 512);
    private String only = "";
    private Optional<Path> keep = Optional.empty();
    private int checked;
    private int failed;

    private LoopCheck() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        LoopCheck check = new LoopCheck();
        if (!check.read(arguments)) {
            System.err.println(USAGE);
            System.exit(2);
        }
        String machine = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        if (!machine.equals("amd64") && !machine.equals("x86_64")) {
            System.out.println("Loops not checked: the check needs x86-64 code, this machine is " + machine + ".");
        } else if (!Disassembler.isAvailable()) {
            System.out.println("Loops not checked: there is no objdump that supports x86-64.");
        } else if (!check.run()) {
            System.exit(1);
        }
    }

    private boolean read(String[] arguments) {
        for (int i = 0; i < arguments.length; i++) {
            String option = arguments[i];
            if (option.startsWith("-X") || option.startsWith("-D")) {
                javaOptions.add(option);
            } else if (i + 1 == arguments.length) {
                return false;
            } else {
                String value = arguments[++i];
                switch (option) {
                    case "--bits" ->
                        widths = List.of(value.split(",")).stream()
                                .map(Integer::valueOf)
                                .toList();
                    case "--only" -> only = value;
                    case "--keep" -> keep = Optional.of(Path.of(value));
                    default -> {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    private boolean run() throws IOException, InterruptedException {
        for (int width : widths) {
            List<LoopName> loops = list(width);
            if (!loops.isEmpty()) {
                List<MachineCode> codes = compile(width, loops);
                if (codes.isEmpty()) {
                    System.out.println("Loops not checked: this JVM prints no readable code"
                            + " (it has no C2, or hsdis disassembles by itself).");
                    return true;
                }
                for (LoopName loop : loops) {
                    report(loop, width, codes);
                }
            }
        }
        System.out.printf("%n%d methods checked, %d of them bad.%n", checked, failed);
        return failed == 0;
    }

    /// The methods to check at a vector width; none if the machine does not support it.
    private List<LoopName> list(int width) throws IOException, InterruptedException {
        List<String> lines = fork(width, List.of(), "list");
        return lines.stream()
                .filter(line -> line.startsWith(HotLoops.MARK))
                .map(line -> LoopName.parse(line.substring(HotLoops.MARK.length())))
                .toList();
    }

    /// The code that C2 generates for the methods, each compiled separately.
    private List<MachineCode> compile(int width, List<LoopName> loops) throws IOException, InterruptedException {
        Path commands = Files.createTempFile("loops", ".commands");
        try {
            List<String> lines = new ArrayList<>(List.of("quiet"));
            for (LoopName loop : loops) {
                lines.add("print " + loop.pattern());
                lines.add("dontinline " + loop.pattern());
            }
            Files.write(commands, lines);
            List<String> options = List.of(
                    "-XX:+UnlockDiagnosticVMOptions",
                    "-XX:CompileCommandFile=" + commands,
                    // Execution waits for compilation, so no code is missing at the end.
                    "-Xbatch",
                    "-Dsgpt4j.cpu.warm=true");
            return MachineCode.read(fork(width, options, "call"));
        } finally {
            Files.delete(commands);
        }
    }

    private List<String> fork(int width, List<String> options, String what) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--add-modules=jdk.incubator.vector");
        command.add("-Dsgpt4j.vectorBits=" + width);
        command.addAll(options);
        command.addAll(javaOptions);
        command.add(HotLoops.class.getName());
        command.addAll(List.of(what, only));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        Path errors = Files.createTempFile("loops", ".errors");
        try {
            Process process = builder.redirectError(errors.toFile()).start();
            List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            int status = process.waitFor();
            if (status != 0 && status != HotLoops.NO_SUCH_WIDTH) {
                String said = String.join("\n", lines.subList(0, Math.min(20, lines.size())));
                throw new IOException("java exited with status " + status + "\n" + said + Files.readString(errors));
            }
            return lines;
        } finally {
            Files.delete(errors);
        }
    }

    private void report(LoopName loop, int width, List<MachineCode> codes) throws IOException, InterruptedException {
        if (checked++ == 0) {
            System.out.println(LoopReport.HEADER);
        }
        Optional<MachineCode> code = last(codes.stream().filter(loop::matches).toList());
        if (code.isEmpty()) {
            failed++;
            System.out.printf("| %s | %d | | | | | | | | | **not compiled** |%n", loop.title(), width);
            return;
        }
        if (keep.isPresent()) {
            Files.createDirectories(keep.get());
            String name = "%s-%d.s".formatted(loop.title(), width);
            Files.write(keep.get().resolve(name), Disassembler.text(code.get()));
        }
        LoopReport report = LoopReport.of(loop.form(), loop.allowed(), Disassembler.instructions(code.get()));
        failed += report.faults().isEmpty() ? 0 : 1;
        System.out.println(report.row(loop.title(), width));
    }

    /// The last compilation that is entered at its start, or else the last one of all.
    private static Optional<MachineCode> last(List<MachineCode> codes) {
        return codes.stream()
                .filter(code -> !code.osr())
                .reduce((earlier, later) -> later)
                .or(() -> codes.stream().reduce((earlier, later) -> later));
    }
}
