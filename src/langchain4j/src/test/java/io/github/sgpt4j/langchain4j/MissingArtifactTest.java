package io.github.sgpt4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// This module without its optional artifacts.
class MissingArtifactTest {
    private static final String TOOLS = "io/github/sgpt4j/weightstools/Models.class";
    private static final String NANO = "io/github/sgpt4j/nano/NanoModel.class";

    /// The class path except for what contains one of two classes.
    private static URLClassLoader withoutOptional() throws IOException {
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            URL url = Path.of(entry).toUri().toURL();
            try (URLClassLoader alone = new URLClassLoader(new URL[] {url}, null)) {
                if (alone.findResource(TOOLS) == null && alone.findResource(NANO) == null) {
                    urls.add(url);
                }
            }
        }
        return new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
    }

    @Test
    void isNamedWhenAskedFor() throws Exception {
        try (URLClassLoader loader = withoutOptional()) {
            assertEquals(
                    "builtInModel(): expected the artifact io.github.sgpt4j:sgpt4j-nano on the class path, found none",
                    failure(loader, "builtInModel", List.of()));
            assertEquals(
                    "modelName(\"owner/name\"): expected the artifact io.github.sgpt4j:sgpt4j-weights-tools on the"
                            + " class path, found none",
                    failure(loader, "modelName", List.of("owner/name")));
        }
    }

    /// Why a model chosen by a call cannot be built.
    private static String failure(ClassLoader loader, String call, List<String> arguments) throws Exception {
        Class<?> model = loader.loadClass(SgptEmbeddingModel.class.getName());
        Object builder = model.getMethod("builder").invoke(null);
        Class<?>[] types = arguments.stream().map(Object::getClass).toArray(Class<?>[]::new);
        Object chosen = builder.getClass().getMethod(call, types).invoke(builder, arguments.toArray());
        InvocationTargetException e = assertThrows(
                InvocationTargetException.class,
                () -> chosen.getClass().getMethod("build").invoke(chosen));
        return assertInstanceOf(IllegalStateException.class, e.getCause()).getMessage();
    }
}
