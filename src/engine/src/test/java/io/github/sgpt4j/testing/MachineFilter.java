package io.github.sgpt4j.testing;

import com.sun.management.HotSpotDiagnosticMXBean;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.TestTag;
import org.junit.platform.launcher.PostDiscoveryFilter;

/// Excludes tests of features that this machine lacks: they are not counted as skipped, and one line of
/// output says why.
///
/// JUnit finds this class through `META-INF/services` and asks it about every test, in the same virtual
/// machine and under the same options that the test would run with. So the answer is right for any
/// machine. If a feature cannot be determined, an exception fails the build.
///
/// - Tests tagged "vector" are excluded from a run with vectors ([Simd#WIDTH_PROPERTY]) wider than the
///   machine's.
/// - They are excluded from a run with an option of the virtual machine (named by [#LIMIT_PROPERTY])
///   that has no effect here: the run would repeat another one.
/// - Tests tagged "amx" are excluded if the matrix unit is unavailable, those tagged "avx2" or "avx512"
///   if machine code for these vector units is. The build runs them in the first run only.
public final class MachineFilter implements PostDiscoveryFilter {
    /// System property of a run with an option of the virtual machine: the option's name, such as
    /// `UseAVX`.
    static final String LIMIT_PROPERTY = "sgpt4j.test.limit";

    private static final TestTag VECTOR = TestTag.create("vector");
    private static final TestTag AMX = TestTag.create("amx");
    private static final TestTag AVX2 = TestTag.create("avx2");
    private static final TestTag AVX512 = TestTag.create("avx512");

    /// Whether this is one of the build's runs after the first.
    private static final boolean AGAIN = Stream.of(Simd.WIDTH_PROPERTY, LIMIT_PROPERTY, CudaTests.PROPERTY)
            .anyMatch(name -> System.getProperty(name) != null);

    private static final Optional<String> NO_VECTORS = tooWide().or(MachineFilter::limitsNothing);
    private static final Optional<String> NO_MATRIX_UNIT = matrixUnitLacks();
    private static final Optional<String> NO_AVX2 = vectorCodeLacks(256);
    private static final Optional<String> NO_AVX512 = vectorCodeLacks(512);

    private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

    @Override
    public FilterResult apply(TestDescriptor test) {
        Optional<String> reason = test.isTest() || test.mayRegisterTests() ? reason(test.getTags()) : Optional.empty();
        reason.filter(SAID::add).ifPresent(System.out::println);
        return reason.map(FilterResult::excluded).orElseGet(() -> FilterResult.included(null));
    }

    private static Optional<String> reason(Set<TestTag> tags) {
        Optional<String> reason = tags.contains(VECTOR) ? NO_VECTORS : Optional.empty();
        if (reason.isPresent() || AGAIN) {
            return reason;
        }
        return tags.contains(AMX)
                ? NO_MATRIX_UNIT
                : tags.contains(AVX2) ? NO_AVX2 : tags.contains(AVX512) ? NO_AVX512 : reason;
    }

    private static Optional<String> vectorCodeLacks(int bits) {
        VectorCode code = VectorCode.of(bits).orElseThrow();
        return code.problem()
                .map(problem -> "Tests of machine code for %s are left out: %s.".formatted(code.title(), problem));
    }

    private static Optional<String> tooWide() {
        int most = Math.min(
                FloatVector.SPECIES_MAX.vectorBitSize(),
                Math.min(IntVector.SPECIES_MAX.vectorBitSize(), ShortVector.SPECIES_MAX.vectorBitSize()));
        return Optional.ofNullable(Integer.getInteger(Simd.WIDTH_PROPERTY))
                .filter(bits -> bits > most)
                .map(bits -> "Tests with vectors of %d bits are left out: Java has at most %d on this machine."
                        .formatted(bits, most));
    }

    private static Optional<String> limitsNothing() {
        return Optional.ofNullable(System.getProperty(LIMIT_PROPERTY)).flatMap(option -> {
            Optional<String> limited = valueHere(option);
            Optional<String> usual = valueByDefault(option);
            if (!limited.equals(usual)) {
                return Optional.empty();
            }
            return Optional.of(usual.map(value -> "Tests under -XX:%s=%s are left out: it is %s here anyway."
                            .formatted(option, wanted(option), value))
                    .orElse("Tests under -XX:%s=%s are left out: Java has no such option on this machine."
                            .formatted(option, wanted(option))));
        });
    }

    /// The value requested of this virtual machine.
    private static String wanted(String option) {
        String start = "-XX:" + option + "=";
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith(start))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(LIMIT_PROPERTY + ": no " + start + "..."))
                .substring(start.length());
    }

    /// The actual value in this virtual machine, which may be lower than requested; empty if there is
    /// no such option.
    private static Optional<String> valueHere(String option) {
        HotSpotDiagnosticMXBean bean = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        try {
            return Optional.of(bean.getVMOption(option).getValue());
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // The option is unknown.
        }
    }

    /// The default value in a virtual machine; empty if there is no such option.
    private static Optional<String> valueByDefault(String option) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder command = new ProcessBuilder(java, "-XX:+PrintFlagsFinal", "-version");
        try {
            Process process = command.redirectErrorStream(true).start();
            String flags = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            // Every virtual machine has this option, so the list is complete and has the expected
            // format.
            if (process.waitFor() != 0 || value(flags, "MaxHeapSize").isEmpty()) {
                throw new IllegalStateException(String.join(" ", command.command()) + ":\n" + flags);
            }
            return value(flags, option);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// From lines like `intx UseAVX = 2 {ARCH product} {default}`.
    private static Optional<String> value(String flags, String option) {
        Matcher line = Pattern.compile("\\s" + option + "\\s*=\\s*(\\S+)").matcher(flags);
        return line.find() ? Optional.of(line.group(1)) : Optional.empty();
    }

    private static Optional<String> matrixUnitLacks() {
        if (CpuOptions.of(Precision.AUTO).usesMatrixUnit()) {
            return Optional.empty();
        }
        Path features = Path.of("/proc/cpuinfo");
        if (System.getProperty("os.name").equals("Linux") && !Files.isReadable(features)) {
            throw new IllegalStateException("cannot tell whether there is a matrix unit: needs " + features);
        }
        return Optional.of("Tests of the matrix unit (AMX) are left out: "
                + Amx.problem().orElse("it goes together with vectors of 512 bits only") + ".");
    }
}
