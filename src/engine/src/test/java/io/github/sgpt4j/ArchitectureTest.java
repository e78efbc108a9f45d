package io.github.sgpt4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.GeneralCodingRules;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Packages depend only on packages below them; devices and native code stay in their own packages.
class ArchitectureTest {
    private static final String ROOT = "io.github.sgpt4j";

    /// The packages of the engine, lowest first; the public API, in the root package, is last.
    private static final List<String> LAYERS = List.of(
            "error",
            "call",
            "text",
            "files",
            "json",
            "tensor",
            "template",
            "weights",
            "tokenizer.collection",
            "tokenizer.pattern",
            "tokenizer.step",
            "tokenizer.vocabulary",
            "tokenizer.bpe",
            "tokenizer.files",
            "tokenizer",
            "batch",
            "backend",
            "backend.cpu.kernel",
            "backend.cpu.code",
            "backend.cpu.amx",
            "backend.cpu.vector",
            "backend.cpu",
            "backend.cuda.ffi",
            "backend.cuda.device",
            "backend.cuda.memory",
            "backend.cuda.launch",
            "backend.cuda",
            "product",
            "model.family",
            "model",
            "checkpoint",
            "inference",
            "");

    /// Lower packages that a layer must not use: a backend uses neither files nor text, the two
    /// backends do not use each other, and only the public API chooses one. A single stored tensor does
    /// not count as a file: see [#SHARED].
    private static final Map<String, Set<String>> APART = Map.ofEntries(
            entry("backend", Set.of("weights", "tokenizer")),
            entry("backend.cpu.kernel", Set.of("weights", "tokenizer")),
            entry("backend.cpu.code", Set.of("weights", "tokenizer", "backend.cpu.kernel")),
            entry("backend.cpu.amx", Set.of("weights", "tokenizer", "backend.cpu.kernel")),
            entry("backend.cpu.vector", Set.of("weights", "tokenizer", "backend.cpu.kernel", "backend.cpu.amx")),
            entry("backend.cpu", Set.of("weights", "tokenizer")),
            entry("backend.cuda.ffi", Set.of("weights", "tokenizer", "backend.cpu")),
            entry("backend.cuda.device", Set.of("weights", "tokenizer", "backend.cpu")),
            entry("backend.cuda.memory", Set.of("weights", "tokenizer", "backend.cpu")),
            entry("backend.cuda.launch", Set.of("weights", "tokenizer", "backend.cpu", "backend.cuda.memory")),
            entry("backend.cuda", Set.of("weights", "tokenizer", "backend.cpu")),
            entry("product", Set.of("backend.cuda", "tokenizer")),
            entry("model.family", Set.of("backend.cpu", "backend.cuda")),
            entry("model", Set.of("backend.cpu", "backend.cuda")),
            entry("inference", Set.of("backend.cpu", "backend.cuda")),
            entry("checkpoint", Set.of("backend.cpu", "backend.cuda")));

    /// The only class that backends use from the weights package: bytes with a name, a type and a
    /// shape.
    private static final String SHARED = ROOT + ".weights.WeightTensor";

    private static final Set<String> EXPORTED = Set.of("", "error");

    private static JavaClasses engine;

    @BeforeAll
    static void readClasses() {
        engine = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_JARS)
                .importPackages(ROOT);
        assertFalse(engine.isEmpty(), "no class of the engine found");
    }

    @Test
    void everyPackageHasItsPlaceInTheLayers() {
        Set<String> unknown = new TreeSet<>();
        for (JavaClass type : engine) {
            if (!LAYERS.contains(layer(type)) && !type.getSimpleName().equals("module-info")) {
                unknown.add(type.getPackageName());
            }
        }
        assertEquals(Set.of(), unknown);
    }

    @Test
    void packagesUseOnlyPackagesBelowThem() {
        Set<String> forbidden = new TreeSet<>();
        int across = 0;
        for (JavaClass user : engine) {
            for (Dependency dependency : user.getDirectDependenciesFromSelf()) {
                JavaClass used = dependency.getTargetClass().getBaseComponentType();
                if (!used.getPackageName().startsWith(ROOT) || layer(user).equals(layer(used))) {
                    continue;
                }
                across++;
                boolean shared =
                        used.getName().equals(SHARED) && LAYERS.indexOf(layer(user)) > LAYERS.indexOf("weights");
                if (!shared && !mayUse(layer(user), layer(used))) {
                    forbidden.add(user.getName() + " uses " + used.getName());
                }
            }
        }
        assertTrue(across > 0, "no dependency between packages found");
        assertEquals(Set.of(), forbidden);
    }

    @Test
    void theRuleRefusesWhatLiesAboveOrApart() {
        assertTrue(mayUse("model", "backend"));
        assertFalse(mayUse("backend", "model"));
        assertFalse(mayUse("model", "backend.cpu"));
        assertFalse(mayUse("backend.cuda", "backend.cpu"));
        assertFalse(mayUse("inference", ""));
        assertFalse(mayUse("tensor", "util"));
    }

    @Test
    void onlyTwoPackagesLinkNativeFunctions() {
        noClasses()
                .that()
                .resideOutsideOfPackages(ROOT + ".backend.cuda.ffi", ROOT + ".backend.cpu.code")
                .should()
                .dependOnClassesThat()
                .haveNameMatching("java\\.lang\\.foreign\\.(Linker|SymbolLookup)(\\$.*)?")
                .check(engine);
    }

    @Test
    void onlyTheCpuBackendUsesTheVectorApi() {
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".backend.cpu..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jdk.incubator.vector..")
                .check(engine);
    }

    /// A vector that is an argument, a result or a field is allocated on the heap unless the compiler
    /// happens to inline everything around it. So vectors stay inside one method.
    @Test
    void vectorsDoNotCrossCalls() {
        Set<String> crossing = new TreeSet<>();
        int loops = 0;
        for (JavaClass type : engine) {
            for (JavaCodeUnit unit : type.getCodeUnits()) {
                boolean crosses = Stream.concat(
                                Stream.of(unit.getRawReturnType()), unit.getRawParameterTypes().stream())
                        .anyMatch(ArchitectureTest::isVector);
                if (crosses) {
                    crossing.add(unit.getFullName());
                }
                loops += unit.getMethodCallsFromSelf().stream().anyMatch(call -> isVector(call.getTargetOwner()))
                        ? 1
                        : 0;
            }
            type.getFields().stream()
                    .filter(field -> isVector(field.getRawType()))
                    .forEach(field -> crossing.add(field.getFullName()));
        }
        assertTrue(loops > 10, "methods with vectors: " + loops);
        assertEquals(Set.of(), crossing);
    }

    private static boolean isVector(JavaClass type) {
        return type.getPackageName().equals("jdk.incubator.vector")
                && (type.getSimpleName().endsWith("Vector")
                        || type.getSimpleName().equals("VectorMask")
                        || type.getSimpleName().equals("VectorShuffle"));
    }

    @Test
    void theEngineWritesToNoStandardStream() {
        GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(engine);
    }

    @Test
    void theEngineUsesTheJdkAndJacksonOnly() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        ROOT + "..",
                        "",
                        "java..",
                        "jdk.incubator.vector..",
                        "com.fasterxml.jackson..",
                        "org.jspecify..")
                .check(engine);
    }

    /// Users of the engine can only name types of the packages that module-info exports.
    @Test
    void thePublicApiSpeaksOnlyOfExportedTypes() {
        Set<String> hidden = new TreeSet<>();
        int members = 0;
        for (JavaClass type : engine) {
            if (!EXPORTED.contains(layer(type)) || !type.getModifiers().contains(JavaModifier.PUBLIC)) {
                continue;
            }
            for (JavaCodeUnit unit : type.getCodeUnits()) {
                if (!unit.getModifiers().contains(JavaModifier.PUBLIC)) {
                    continue;
                }
                members++;
                Stream.concat(
                                unit.getReturnType().getAllInvolvedRawTypes().stream(),
                                unit.getParameterTypes().stream().flatMap(p -> p.getAllInvolvedRawTypes().stream()))
                        .map(JavaClass::getBaseComponentType)
                        .filter(used -> used.getPackageName().startsWith(ROOT) && !EXPORTED.contains(layer(used)))
                        .forEach(used -> hidden.add(unit.getFullName() + " uses " + used.getName()));
            }
        }
        assertTrue(members > 50, "only " + members + " public methods and constructors found");
        assertEquals(Set.of(), hidden);
    }

    private static String layer(JavaClass type) {
        String name = type.getPackageName();
        return name.equals(ROOT) ? "" : name.substring(Math.min(name.length(), ROOT.length() + 1));
    }

    private static boolean mayUse(String user, String used) {
        int above = LAYERS.indexOf(user);
        int below = LAYERS.indexOf(used);
        return below >= 0
                && below < above
                && APART.getOrDefault(user, Set.of()).stream().noneMatch(apart -> isIn(used, apart));
    }

    private static boolean isIn(String layer, String room) {
        return layer.equals(room) || layer.startsWith(room + ".");
    }
}
