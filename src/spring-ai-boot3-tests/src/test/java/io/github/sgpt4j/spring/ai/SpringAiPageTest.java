package io.github.sgpt4j.spring.ai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Java examples of `src/docs/spring-ai.md` compile on this line of Spring, which other modules do not see.
class SpringAiPageTest {
    private static final Pattern JAVA = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);

    @TempDir
    private Path folder;

    @Test
    void examplesCompile() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "spring-ai.md"));
        List<String> examples =
                JAVA.matcher(page).results().map(match -> match.group(1)).toList();
        assertEquals(3, examples.size());
        for (int i = 0; i < examples.size(); i++) {
            compile("Example" + i, examples.get(i));
        }
    }

    /// Compiles an example, which consists of imports and statements.
    private void compile(String name, String code) throws IOException {
        String imports = code.lines().filter(line -> line.startsWith("import ")).collect(Collectors.joining("\n"));
        String body = code.lines().filter(line -> !line.startsWith("import ")).collect(Collectors.joining("\n"));
        Path source = folder.resolve(name + ".java");
        Files.writeString(
                source, "%s%nclass %s { void run() throws Exception {%n%s%n} }%n".formatted(imports, name, body));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled = compiler.getTask(
                            messages,
                            files,
                            null,
                            List.of("-d", folder.toString(), "-proc:none"),
                            null,
                            files.getJavaFileObjects(source))
                    .call();
            assertTrue(compiled, messages::toString);
        }
    }
}
