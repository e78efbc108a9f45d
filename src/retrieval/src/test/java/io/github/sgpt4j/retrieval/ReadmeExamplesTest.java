package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The Java examples of README.md that search compile as they stand.
class ReadmeExamplesTest {
    private static final Pattern EXAMPLE = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);

    @TempDir
    Path output;

    @Test
    void javaExamplesThatSearchCompile() throws IOException {
        Matcher matcher = EXAMPLE.matcher(Files.readString(Path.of("..", "..", "README.md")));
        int examples = 0;
        while (matcher.find()) {
            if (matcher.group(1).contains("import io.github.sgpt4j.retrieval.")) {
                compile(matcher.group(1), examples++);
            }
        }
        assertTrue(examples > 0, "README.md has no Java example that searches");
    }

    /// Examples are statements with imports.
    private void compile(String code, int number) {
        String imports = code.lines().filter(line -> line.startsWith("import ")).collect(Collectors.joining("\n"));
        String body = code.lines().filter(line -> !line.startsWith("import ")).collect(Collectors.joining("\n"));
        String source =
                "%s%nclass Example%d { void run() throws Exception {%n%s%n} }%n".formatted(imports, number, body);
        JavaFileObject file =
                new SimpleJavaFileObject(
                        URI.create("string:///Example" + number + ".java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                };
        StringWriter messages = new StringWriter();
        List<String> options = List.of("-d", output.toString(), "-proc:none");
        boolean compiled = ToolProvider.getSystemJavaCompiler()
                .getTask(messages, null, null, options, null, List.of(file))
                .call();
        assertTrue(compiled, () -> messages + "\n" + source);
    }
}
