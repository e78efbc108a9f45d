package io.github.sgpt4j.spark;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.GeneralCodingRules;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Packages depend only on packages below them, and the lowest needs no Spark.
class ArchitectureTest {
    private static final String ROOT = "io.github.sgpt4j.spark";

    private static JavaClasses module;

    @BeforeAll
    static void readClasses() {
        module = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_JARS)
                .importPackages(ROOT);
        assertFalse(module.isEmpty(), "no class found");
    }

    @Test
    void thePartitionFunctionNeedsNoSpark() {
        noClasses()
                .that()
                .resideInAPackage(ROOT + ".partition")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.apache..", "scala..", ROOT, ROOT + ".index", "io.github.sgpt4j.retrieval..")
                .check(module);
    }

    @Test
    void shardsKnowNoDataSets() {
        noClasses()
                .that()
                .resideInAPackage(ROOT + ".index")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.apache.spark.sql..", ROOT)
                .check(module);
    }

    @Test
    void nothingIsWrittenToStandardStreams() {
        GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(module);
    }
}
