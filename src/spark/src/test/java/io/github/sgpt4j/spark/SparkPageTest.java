package io.github.sgpt4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.apache.spark.ml.param.Param;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The Java examples of the pages about Spark compile, and the parameters are listed.
class SparkPageTest {
    private static final Path DOCS = Path.of("..", "docs");
    private static final Pattern EXAMPLE = Pattern.compile("```java spark\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern ROW = Pattern.compile("(?m)^\\| ((?:`\\w+`(?:, )?)+) \\|");

    @TempDir
    private Path output;

    @Test
    void examplesCompile() throws IOException {
        String pages = Files.readString(DOCS.resolve("spark.md")) + Files.readString(DOCS.resolve("scale.md"));
        List<String> examples =
                EXAMPLE.matcher(pages).results().map(match -> match.group(1)).toList();
        assertTrue(examples.size() >= 2, () -> "only " + examples.size());
        examples.forEach(this::compile);
    }

    private void compile(String example) {
        String imports =
                example.lines().filter(line -> line.startsWith("import ")).collect(Collectors.joining("\n"));
        String body =
                example.lines().filter(line -> !line.startsWith("import ")).collect(Collectors.joining("\n"));
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

    @Test
    void parametersAreListed() throws IOException {
        Set<String> listed = new TreeSet<>();
        ROW.matcher(Files.readString(DOCS.resolve("spark.md")))
                .results()
                .forEach(row ->
                        Arrays.stream(row.group(1).split(", ")).forEach(name -> listed.add(name.replace("`", ""))));
        Set<String> expected = Stream.of(new SgptEmbedder().params(), new SgptReranker().params())
                .flatMap(Arrays::stream)
                .map(Param::name)
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(expected, listed);
    }
}
