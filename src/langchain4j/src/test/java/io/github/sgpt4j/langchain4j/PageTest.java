package io.github.sgpt4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The Java examples of `src/docs/langchain4j.md` compile. Everything else about the page is tested with the other
/// pages.
class PageTest {
    private static final Path PAGE = Path.of("..", "docs", "langchain4j.md");
    private static final Pattern JAVA = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);

    @TempDir
    private Path output;

    @Test
    void javaExamplesCompile() throws IOException {
        List<String> examples = JAVA.matcher(Files.readString(PAGE))
                .results()
                .map(match -> match.group(1))
                .toList();
        assertTrue(examples.size() >= 2, () -> "only " + examples.size() + " Java examples");
        for (String example : examples) {
            compile(example);
        }
    }

    /// Compiles an example, which consists of imports and statements.
    private void compile(String code) {
        String imports = code.lines().filter(line -> line.startsWith("import ")).collect(Collectors.joining("\n"));
        String body = code.lines().filter(line -> !line.startsWith("import ")).collect(Collectors.joining("\n"));
        String source = "%s%nclass Example { void run() throws Exception {%n%s%n} }%n".formatted(imports, body);
        JavaFileObject file =
                new SimpleJavaFileObject(URI.create("string:///Example.java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                };
        StringWriter messages = new StringWriter();
        boolean compiled = ToolProvider.getSystemJavaCompiler()
                .getTask(messages, null, null, List.of("-d", output.toString(), "-proc:none"), null, List.of(file))
                .call();
        assertTrue(compiled, () -> messages + "\n" + source);
    }
}
