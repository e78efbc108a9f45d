import io.github.sgpt4j.cli.Main;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.asciidoctor.Asciidoctor;
import org.asciidoctor.Options;
import org.asciidoctor.SafeMode;
import picocli.CommandLine;
import picocli.codegen.docgen.manpage.ManPageGenerator;

/// Writes the man pages of the sgpt command, one for itself and one for each verb, into the folder of the first argument.
public final class ManPages {
    private ManPages() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        Files.createDirectories(folder);
        CommandLine sgpt = Main.commandLine();
        int code = ManPageGenerator.generateManPage(
                folder.toFile(), null, new boolean[1], true, sgpt.getCommandSpec());
        if (code != 0) {
            System.exit(code);
        }
        Options options =
                Options.builder().backend("manpage").safe(SafeMode.UNSAFE).toFile(true).build();
        try (Asciidoctor asciidoctor = Asciidoctor.Factory.create();
                var pages = Files.list(folder)) {
            List<File> sources = pages.filter(file -> file.toString().endsWith(".adoc"))
                    .map(Path::toFile)
                    .toList();
            for (File source : sources) {
                asciidoctor.convertFile(source, options);
            }
        }
    }
}
