package io.github.sgpt4j.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.GeneralCodingRules;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Packages depend only on packages below them.
class ArchitectureTest {
    private static final String ROOT = "io.github.sgpt4j.server";

    /// The packages of the server, lowest first. What users set is in the root package, but below all others.
    private static final List<String> LAYERS = List.of(
            "settings",
            "http",
            "problem",
            "json",
            "metrics",
            "batching",
            "models",
            "search",
            "inference",
            "routing",
            "transport",
            "dialect",
            "page",
            "");

    private static final Set<String> SETTINGS = Set.of(ROOT + ".ServerOptions", ROOT + ".Limits");

    private static JavaClasses server;

    @BeforeAll
    static void readClasses() {
        server = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_JARS)
                .importPackages(ROOT);
        assertFalse(server.isEmpty(), "no class found");
    }

    /// A nested class belongs where its outer class does.
    private static String layer(JavaClass type) {
        if (type.getEnclosingClass().isPresent()) {
            return layer(type.getEnclosingClass().get());
        }
        if (SETTINGS.contains(type.getName())) {
            return "settings";
        }
        String name = type.getPackageName();
        return name.equals(ROOT) ? "" : name.substring(ROOT.length() + 1);
    }

    @Test
    void everyPackageHasItsPlaceInTheLayers() {
        Set<String> seen = new TreeSet<>();
        server.forEach(type -> seen.add(layer(type)));
        assertEquals(new TreeSet<>(LAYERS), seen);
    }

    @Test
    void packagesUseOnlyPackagesBelowThem() {
        Set<String> forbidden = new TreeSet<>();
        for (JavaClass user : server) {
            for (Dependency dependency : user.getDirectDependenciesFromSelf()) {
                JavaClass used = dependency.getTargetClass().getBaseComponentType();
                if (used.getPackageName().startsWith(ROOT)
                        && LAYERS.indexOf(layer(used)) > LAYERS.indexOf(layer(user))) {
                    forbidden.add(user.getName() + " uses " + used.getName());
                }
            }
        }
        assertEquals(Set.of(), forbidden);
    }

    @Test
    void onlyTheTransportUsesTheServerOfTheJdk() {
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".transport")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("com.sun.net.httpserver..", "java.net.http..")
                .check(server);
    }

    @Test
    void batchesKnowNoModel() {
        noClasses()
                .that()
                .resideInAnyPackage(ROOT + ".batching", ROOT + ".http", ROOT + ".json", ROOT + ".metrics")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.github.sgpt4j", "io.github.sgpt4j.retrieval..")
                .check(server);
    }

    @Test
    void theServerWritesToNoStandardStream() {
        GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(server);
    }
}
