package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.ModelTokenizer;
import io.github.sgpt4j.Token;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.JsonLines;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `sgpt tokenize`: turns texts into token ids.
@Command(
        name = "tokenize",
        versionProvider = VersionProvider.class,
        description = "Show the token ids of texts, without truncation.",
        footer = {
            "",
            "Reads only the tokenizer's files.",
            "Writes {\"index\",\"text\",\"ids\":[...]} per text, in input order;",
            "with --offsets also \"offsets\":[[START,END],...] in code points of the text,",
            "null for tokens that the tokenizer puts around it.",
            "",
            "Examples:",
            "  sgpt tokenize 'How many legs do spiders have?'",
            "  sgpt tokenize -m OWNER/NAME -i texts.txt --offsets"
        })
public final class TokenizeCommand extends ModelCommand {
    @Mixin
    private InputOptions input = new InputOptions();

    @Option(
            names = "--no-special-tokens",
            description = "Leave out the special tokens that the tokenizer puts around a text.")
    private boolean noSpecialTokens;

    @Option(names = "--offsets", description = "Show the place of each token in its text.")
    private boolean offsets;

    @Parameters(paramLabel = "TEXT", description = "Texts to tokenize.")
    private List<String> texts = new ArrayList<>();

    public TokenizeCommand(Console console) {
        super(console);
    }

    @Override
    public void run() throws IOException {
        refuse(
                "on tokenize, which needs only the tokenizer",
                MODEL_OPTIONS.stream()
                        .filter(option -> !option.equals("--model"))
                        .toArray(String[]::new));
        try (TextInput in = input.open(this, texts, "text");
                Output out = Output.open(console(), Optional.empty())) {
            ModelTokenizer tokenizer = ModelTokenizer.open(locateModel());
            tokenizer.notices().forEach(this::checkpointNotice);
            JsonLines lines = new JsonLines(out.stream());
            long index = 0;
            try (Chunks chunks = Chunks.of(in, this, "tokenize")) {
                for (List<TextRecord> chunk = chunks.next(); !chunk.isEmpty(); chunk = chunks.next()) {
                    for (TextRecord record : chunk) {
                        write(lines, index++, record.joined(), tokenizer);
                    }
                    chunks.listener().update(1, 1);
                    lines.flush();
                }
            }
            out.finish();
        }
    }

    private void write(JsonLines lines, long index, String text, ModelTokenizer tokenizer) throws IOException {
        List<Token> tokens = offsets ? tokenizer.tokens(text, !noSpecialTokens) : List.of();
        int[] ids =
                offsets ? tokens.stream().mapToInt(Token::id).toArray() : tokenizer.tokenize(text, !noSpecialTokens);
        lines.line(json -> {
            json.writeNumberField("index", index);
            json.writeStringField("text", text);
            json.writeFieldName("ids");
            json.writeArray(ids, 0, ids.length);
            if (offsets) {
                json.writeArrayFieldStart("offsets");
                for (Token token : tokens) {
                    if (token.special()) {
                        json.writeNull();
                    } else {
                        json.writeArray(new int[] {token.start(), token.end()}, 0, 2);
                    }
                }
                json.writeEndArray();
            }
        });
    }
}
