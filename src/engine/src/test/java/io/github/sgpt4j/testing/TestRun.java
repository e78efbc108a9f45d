package io.github.sgpt4j.testing;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClasspathRoots;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.PrintWriter;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/// Runs the tests of the CUDA backend without Maven, on a machine that has a GPU but no JDK.
///
/// - `TestRun list` prints what there is to run, a line for each class. Tests of all goldens take longer than others:
///   their methods have a line each.
/// - `TestRun run NAME...` runs lines of that list. It prints failures and one line of numbers. The exit code is 0 if
///   tests passed and none failed, 1 if one failed or none was found, [#SKIPPED] if all of them were skipped.
public final class TestRun {
    /// Exit code where every test was skipped, as those that need the stand-in are on a GPU.
    static final int SKIPPED = 77;

    private static final String[] TAGS = {"cuda", "cuda-only"};
    private static final String LONG = "GoldenTest";
    private static final int MAX_STACK_LINES = 12;

    private TestRun() {}

    public static void main(String[] arguments) {
        List<String> names = List.of(arguments).subList(Math.min(1, arguments.length), arguments.length);
        switch (arguments.length == 0 ? "" : arguments[0]) {
            case "list" -> list().forEach(System.out::println);
            case "run" -> System.exit(run(names, new PrintWriter(System.out, true, StandardCharsets.UTF_8)));
            default -> {
                System.err.println("usage: TestRun list | TestRun run NAME...");
                System.exit(2);
            }
        }
    }

    /// Names of classes, and of methods as `class#method`, sorted.
    static Set<String> list() {
        Set<String> names = new TreeSet<>();
        TestPlan plan = LauncherFactory.create().discover(request(selectClasspathRoots(Set.of(root())).stream()));
        plan.accept(new TestPlan.Visitor() {
            @Override
            public void visit(TestIdentifier test) {
                test.getSource().flatMap(source -> name(test, source, plan)).ifPresent(names::add);
            }
        });
        return names;
    }

    /// Of a test method, or of a class whose tests are not known before it runs: a parameterised one.
    private static Optional<String> name(TestIdentifier test, TestSource source, TestPlan plan) {
        return switch (source) {
            case MethodSource method
            when method.getClassName().endsWith(LONG) ->
                Optional.of("%s#%s(%s)"
                        .formatted(method.getClassName(), method.getMethodName(), method.getMethodParameterTypes()));
            case MethodSource method -> Optional.of(method.getClassName());
            case ClassSource type when plan.getChildren(test).isEmpty() -> Optional.of(type.getClassName());
            default -> Optional.empty();
        };
    }

    private static Path root() {
        try {
            return Path.of(TestRun.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Runs tests and gives the exit code.
    ///
    /// @param names as from [#list]
    static int run(List<String> names, PrintWriter out) {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create().execute(request(names.stream().map(TestRun::selector)), listener);
        TestExecutionSummary summary = listener.getSummary();
        summary.printFailuresTo(out, MAX_STACK_LINES);
        long passed = summary.getTestsSucceededCount();
        long failed = summary.getTotalFailureCount();
        // A class that is left out as a whole counts once.
        long skipped = summary.getTestsAbortedCount()
                + summary.getTestsSkippedCount()
                + summary.getContainersAbortedCount()
                + summary.getContainersSkippedCount();
        out.printf("%d passed, %d failed, %d skipped%n", passed, failed, skipped);
        if (failed > 0 || passed + skipped == 0) {
            return 1;
        }
        return passed == 0 ? SKIPPED : 0;
    }

    private static DiscoverySelector selector(String name) {
        return name.contains("#") ? selectMethod(name) : selectClass(name);
    }

    private static LauncherDiscoveryRequest request(Stream<? extends DiscoverySelector> selectors) {
        return LauncherDiscoveryRequestBuilder.request()
                .selectors(selectors.toList())
                .filters(TagFilter.includeTags(TAGS))
                .build();
    }
}
