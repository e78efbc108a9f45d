package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The Java examples of README.md compile as they stand. Those that search are compiled where searching is.
class ReadmeTest {
    private static final Pattern EXAMPLE = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);

    private static final Path README = Path.of("..", "..", "README.md");

    @TempDir
    private Path output;

    @Test
    void javaExamplesCompile() throws IOException {
        Matcher matcher = EXAMPLE.matcher(Files.readString(README));
        int examples = 0;
        while (matcher.find()) {
            if (!matcher.group(1).contains("import io.github.sgpt4j.retrieval.")) {
                compile(matcher.group(1), examples++);
            }
        }
        assertTrue(examples > 0, "README.md has no Java example");
    }

    /// Examples are statements with imports; a compact source file makes them a program.
    private void compile(String code, int number) {
        List<String> lines = code.lines().toList();
        StringBuilder source = new StringBuilder();
        lines.stream()
                .filter(l -> l.startsWith("import "))
                .forEach(l -> source.append(l).append('\n'));
        source.append("class Example%d { void run() throws Exception {%n".formatted(number));
        lines.stream()
                .filter(l -> !l.startsWith("import "))
                .forEach(l -> source.append(l).append('\n'));
        source.append("} }\n");
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        JavaFileObject file =
                new SimpleJavaFileObject(
                        URI.create("string:///Example" + number + ".java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                };
        boolean compiled = compiler.getTask(
                        messages, null, null, List.of("-d", output.toString(), "-proc:none"), null, List.of(file))
                .call();
        assertTrue(compiled, () -> messages + "\n" + source);
    }

    @Test
    void theFirstCommandsAreTheOnesPromised() throws IOException {
        String readme = Files.readString(README);
        assertTrue(readme.contains("./sgpt search \"fear of spiders\""), "first command");
        assertTrue(readme.contains("./mvnw verify"), "second command");
        assertFalse(readme.contains("TODO"), "README.md is not finished");
        assertEquals(readme.indexOf("./sgpt search"), readme.indexOf("./sgpt"), "the first command comes first");
    }
}
