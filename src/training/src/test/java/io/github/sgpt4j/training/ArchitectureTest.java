package io.github.sgpt4j.training;

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

/// The parts of training that need no model do not know of each other.
class ArchitectureTest {
    private static final String ROOT = "io.github.sgpt4j.training";
    private static final List<String> PARTS = List.of(ROOT + ".data", ROOT + ".loss", ROOT + ".optimizer");

    private static JavaClasses training;

    @BeforeAll
    static void readClasses() {
        training = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_JARS)
                .importPackages(ROOT);
        assertFalse(training.isEmpty(), "no class found");
    }

    @Test
    void partsUseNoOtherPackageOfTheModule() {
        Set<String> forbidden = new TreeSet<>();
        Set<String> seen = new TreeSet<>();
        for (JavaClass user : training) {
            if (!PARTS.contains(user.getPackageName())) {
                continue;
            }
            seen.add(user.getPackageName());
            for (Dependency dependency : user.getDirectDependenciesFromSelf()) {
                String used = dependency.getTargetClass().getBaseComponentType().getPackageName();
                if (used.startsWith(ROOT) && !used.equals(user.getPackageName())) {
                    forbidden.add(user.getName() + " uses " + used);
                }
            }
        }
        assertEquals(new TreeSet<>(PARTS), seen);
        assertEquals(Set.of(), forbidden);
    }

    @Test
    void partsNeedNoModelAndNoIndex() {
        noClasses()
                .that()
                .resideInAnyPackage(PARTS.toArray(String[]::new))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.github.sgpt4j", "io.github.sgpt4j.retrieval", "org.apache.lucene..")
                .check(training);
    }

    @Test
    void onlyLossesUseTheVectorApi() {
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".loss")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jdk.incubator.vector..")
                .check(training);
        assertTrue(training.stream()
                .anyMatch(type -> type.getDirectDependenciesFromSelf().stream()
                        .anyMatch(used -> used.getTargetClass().getPackageName().startsWith("jdk.incubator.vector"))));
    }

    @Test
    void trainingWritesToNoStandardStream() {
        GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(training);
    }
}
