package io.github.sgpt4j.documents;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

/// Packages use only packages below them, and libraries stay behind the readers of their formats.
class ArchitectureTest {
    private static final String ROOT = "io.github.sgpt4j.documents";

    /// Lowest first.
    private static final List<String> LAYERS =
            List.of(ROOT + ".kind", ROOT + ".decoding", ROOT + ".folder", ROOT + ".format", ROOT);

    private static JavaClasses classes;

    @BeforeAll
    static void readClasses() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_JARS)
                .importPackages(ROOT);
        assertFalse(classes.isEmpty(), "no class found");
    }

    @Test
    void packagesUseOnlyPackagesBelowThem() {
        Set<String> forbidden = new TreeSet<>();
        int across = 0;
        for (JavaClass user : classes) {
            assertTrue(LAYERS.contains(user.getPackageName()), user.getName());
            for (Dependency dependency : user.getDirectDependenciesFromSelf()) {
                String used = dependency.getTargetClass().getBaseComponentType().getPackageName();
                if (used.startsWith(ROOT) && !used.equals(user.getPackageName())) {
                    across++;
                    if (LAYERS.indexOf(used) > LAYERS.indexOf(user.getPackageName())) {
                        forbidden.add(user.getName() + " uses " + used);
                    }
                }
            }
        }
        assertTrue(across > 0, "no dependency between packages found");
        assertEquals(Set.of(), forbidden);
    }

    @Test
    void onlyReadersUseParsers() {
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".format")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "org.apache.pdfbox..",
                        "org.apache.fontbox..",
                        "org.jsoup..",
                        "org.commonmark..",
                        "javax.xml..",
                        "com.fasterxml.jackson.dataformat..")
                .check(classes);
    }

    @Test
    void readingWritesToNoStandardStream() {
        GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(classes);
    }
}
