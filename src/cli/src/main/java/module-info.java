/// The `sgpt` command. It uses the engine through its exported packages only.
// JLine states its modules' names, but has no descriptors.
@SuppressWarnings("requires-automatic")
module io.github.sgpt4j.cli {
    requires com.fasterxml.jackson.databind;
    requires info.picocli;
    requires io.github.sgpt4j.documents;
    requires io.github.sgpt4j.engine;
    requires io.github.sgpt4j.nano;
    requires io.github.sgpt4j.retrieval;
    requires io.github.sgpt4j.server;
    requires io.github.sgpt4j.training;
    requires io.github.sgpt4j.weightstools;
    requires java.logging;
    requires me.tongfei.progressbar;
    requires org.jline.reader;
    requires org.jline.terminal;
    requires static org.jspecify;

    opens io.github.sgpt4j.cli to
            info.picocli;
    opens io.github.sgpt4j.cli.command to
            info.picocli;
    opens io.github.sgpt4j.cli.eval to
            info.picocli;
    opens io.github.sgpt4j.cli.option to
            info.picocli;
    opens io.github.sgpt4j.cli.search to
            info.picocli;
    opens io.github.sgpt4j.cli.serve to
            info.picocli;
    opens io.github.sgpt4j.cli.train to
            info.picocli;
    opens io.github.sgpt4j.cli.vectors to
            info.picocli;
}
