package io.github.sgpt4j.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassElement;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.lang.constant.ClassDesc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Enumeration;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/// Rewrites libraries whose classes were compiled for Java 5. The virtual machine verifies such classes with its old
/// verifier and therefore never stores them in an ahead-of-time cache. picocli is such a library; loading it without
/// the cache takes about 0.2 s per start. The launcher runs this on its own copies of the jars when it builds.
final class ClassFileUpgrade {
    /// The first class file version with stack maps.
    private static final int FIRST_WITH_STACK_MAPS = ClassFile.JAVA_6_VERSION;

    private static final String CLASS_SUFFIX = ".class";

    private ClassFileUpgrade() {}

    /// @param arguments jar files; those with old classes are replaced
    public static void main(String[] arguments) throws IOException {
        for (String jar : arguments) {
            upgrade(Path.of(jar));
        }
    }

    /// Replaces a jar that has old class files by one with newer ones.
    ///
    /// @return how many classes were rewritten
    static int upgrade(Path jar) throws IOException {
        Path work = jar.resolveSibling(jar.getFileName() + ".new");
        int count = 0;
        try {
            try (ZipFile in = new ZipFile(jar.toFile());
                    ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(work))) {
                ClassFile files = ClassFile.of(
                        ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
                        ClassFile.ClassHierarchyResolverOption.of(
                                ClassHierarchyResolver.ofResourceParsing((ClassDesc type) -> open(in, type))
                                        .orElse(ClassHierarchyResolver.defaultResolver())));
                for (Enumeration<? extends ZipEntry> all = in.entries(); all.hasMoreElements(); ) {
                    ZipEntry entry = all.nextElement();
                    byte[] content = in.getInputStream(entry).readAllBytes();
                    if (isOldClass(entry.getName(), content)) {
                        content = upgraded(files, content);
                        count++;
                    }
                    write(out, entry.getName(), content);
                }
            }
            if (count > 0) {
                Files.move(work, jar, StandardCopyOption.REPLACE_EXISTING);
            }
            return count;
        } finally {
            Files.deleteIfExists(work);
        }
    }

    /// The class file of a type in the jar, or null.
    private static @Nullable InputStream open(ZipFile jar, ClassDesc type) {
        String name = type.descriptorString();
        ZipEntry entry = jar.getEntry(name.substring(1, name.length() - 1) + CLASS_SUFFIX);
        try {
            return entry == null ? null : jar.getInputStream(entry);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isOldClass(String name, byte[] content) {
        return name.endsWith(CLASS_SUFFIX)
                && content.length > 8
                && ((content[6] & 0xFF) << 8 | content[7] & 0xFF) < FIRST_WITH_STACK_MAPS;
    }

    /// The same class as a Java 8 class file with stack maps.
    private static byte[] upgraded(ClassFile files, byte[] content) {
        ClassModel model = files.parse(content);
        return files.build(model.thisClass().asSymbol(), builder -> {
            for (ClassElement element : model) {
                switch (element) {
                    case ClassFileVersion version -> builder.withVersion(ClassFile.JAVA_8_VERSION, 0);
                    case MethodModel method ->
                        builder.transformMethod(method, MethodTransform.transformingCode(CodeTransform.ACCEPT_ALL));
                    default -> builder.with(element);
                }
            }
        });
    }

    private static void write(ZipOutputStream out, String name, byte[] content) throws IOException {
        out.putNextEntry(new ZipEntry(name));
        out.write(content);
        out.closeEntry();
    }
}
