package io.github.sgpt4j.cli;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.server.ServerOptions;
import io.github.sgpt4j.server.SgptServer;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.models.ServedModels;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Runs typical commands in one process. Meanwhile, the virtual machine records which classes are loaded and which
/// methods become hot, for the launcher's ahead-of-time cache.
final class Training {
    private static final String[][] COMMANDS = {
        {"embed", "--as", "query", "fear of spiders"},
        {"embed", "--as", "document", "a morbid fear of spiders", "a large body of salt water", "a doctor for children"
        },
        {"score", "--query", "fear of spiders", "a morbid fear of spiders", "a large body of salt water"},
        {"tokenize", "fear of spiders"},
        {"search", "--help"},
        {"serve", "--help"},
        {"inspect"},
        {"verify"},
    };

    /// Weights of two tiny layers as `torch.save` writes them, with masks and a tied output head.
    private static final String CHECKPOINT = "training/pytorch_model.bin";

    /// Enough for the pickle interpreter to become hot.
    private static final int CONVERSIONS = 20;

    private static final int REQUESTS = 3;

    private Training() {}

    public static void main(String[] arguments) throws IOException {
        int worst = 0;
        for (String[] command : COMMANDS) {
            worst = Math.max(worst, Main.run(Console.ofProcess(), command));
        }
        Path folder = Files.createTempDirectory("sgpt-training-");
        try {
            worst = Math.max(worst, convert(folder));
            worst = Math.max(worst, searchIndex(folder));
            serve();
        } finally {
            delete(folder);
        }
        System.exit(worst);
    }

    private static int convert(Path folder) throws IOException {
        Path checkpoint = Files.createDirectory(folder.resolve("checkpoint"));
        try (InputStream in = Training.class.getResourceAsStream(CHECKPOINT)) {
            if (in == null) {
                throw new FormatException(CHECKPOINT + ": expected a resource, found none");
            }
            Files.copy(in, checkpoint.resolve("pytorch_model.bin"));
        }
        int worst = 0;
        for (int i = 0; i < CONVERSIONS; i++) {
            worst = Math.max(worst, Main.run(Console.ofProcess(), "convert", "--force", checkpoint.toString()));
        }
        return worst;
    }

    private static int searchIndex(Path folder) throws IOException {
        Path corpus = Files.writeString(folder.resolve("corpus.txt"), """
                a morbid fear of spiders
                a large body of salt water
                a doctor for children
                """);
        String index = folder.resolve("index").toString();
        int worst = Main.run(Console.ofProcess(), "index", "--quiet", "--corpus", corpus.toString(), "--index", index);
        for (String mode : List.of("dense", "hybrid")) {
            String[] search = {"search", "--index", index, "--mode", mode, "fear of spiders"};
            worst = Math.max(worst, Main.run(Console.ofProcess(), search));
        }
        return worst;
    }

    /// Starts a server and asks it for embeddings and scores.
    private static void serve() throws IOException {
        try (SgptServer server = SgptServer.start(ServerOptions.DEFAULT.withAddress("127.0.0.1", 0))) {
            Model model = Model.open(NanoModel.directory());
            BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
            CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT);
            server.serve(new ServedModels(List.of(
                    new ServedModel("sgpt4j-nano", List.of(), model, Optional.of(encoder), Optional.of(scorer)))));
            String address = "http://127.0.0.1:" + server.address().getPort();
            for (int i = 0; i < REQUESTS; i++) {
                post(address + "/v1/embeddings", "{\"input\":[\"fear of spiders\"],\"input_type\":\"query\"}");
                post(address + "/v1/embeddings", "{\"input\":\"a doctor\",\"encoding_format\":\"base64\"}");
                post(address + "/rerank", "{\"query\":\"spiders\",\"texts\":[\"a morbid fear of spiders\"]}");
            }
        }
    }

    private static void post(String address, String body) throws IOException {
        URLConnection connection = URI.create(address).toURL().openConnection();
        connection.setDoOutput(true);
        connection.setRequestProperty("Content-Type", "application/json");
        try (OutputStream out = connection.getOutputStream()) {
            out.write(body.getBytes(StandardCharsets.UTF_8));
        }
        try (InputStream in = connection.getInputStream()) {
            in.transferTo(OutputStream.nullOutputStream());
        }
    }

    private static void delete(Path folder) throws IOException {
        List<Path> paths;
        try (Stream<Path> all = Files.walk(folder)) {
            paths = all.sorted().toList();
        }
        for (Path path : paths.reversed()) {
            Files.delete(path);
        }
    }
}
