package io.github.sgpt4j.cli.serve;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.Notices;
import io.github.sgpt4j.cli.model.ModelLocation;
import io.github.sgpt4j.cli.option.CommonOptions;
import io.github.sgpt4j.cli.option.RerankerOptions;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.models.ServedModels;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/// Which models are served, and under which names.
///
/// @param models names as given, in order; none for the built-in model
/// @param rerankModel name of the model that re-ranks
/// @param aliases `NAME` or `NAME=MODEL`
/// @param biases trained tensors for the only model
/// @param reranker how the model that re-ranks scores
record ModelSettings(
        List<String> models,
        Optional<String> rerankModel,
        List<String> aliases,
        Optional<Path> biases,
        RerankerOptions reranker) {
    /// What the built-in model is called.
    static final String BUILT_IN = "sgpt4j-nano";
    private static final String BUILT_IN_NOTE = "The built-in model is no re-ranker: it shows how re-ranking works, but"
            + " makes results worse. --rerank-model names one that is made for it.";

    /// Whether a model re-ranks.
    private enum Scoring {
        NONE,
        IF_IT_CAN,
        REQUIRED
    }

    /// Opens them all.
    ///
    /// @throws IOException if one cannot be found, downloaded or converted
    ServedModels open(Console console, CommonOptions common, CommandLine line) throws IOException {
        if (biases.isPresent() && models.size() > 1) {
            throw new ParameterException(line, "--biases: expected one model, got " + models.size());
        }
        List<Optional<String>> names = models.isEmpty()
                ? List.of(Optional.empty())
                : models.stream().map(Optional::of).toList();
        List<String> ids = names.stream().map(ModelSettings::id).toList();
        Optional<String> ranker = biases.isEmpty() ? rerankModel.flatMap(this::servedAnyway) : Optional.empty();
        Optional<String> rerankId = rerankModel
                .filter(name -> ranker.isEmpty())
                .map(name -> id(Optional.of(name)))
                .map(id -> ids.contains(id) ? id + "-rerank" : id);
        List<List<String>> others = others(ids, line);
        requireDistinct(ids, others, rerankId, line);
        List<ServedModel> opened = new ArrayList<>();
        try {
            for (int i = 0; i < names.size(); i++) {
                Scoring scoring = rerankModel.isEmpty()
                        ? Scoring.IF_IT_CAN
                        : ranker.isPresent() && names.get(i).equals(ranker) ? Scoring.REQUIRED : Scoring.NONE;
                opened.add(open(console, common, line, names.get(i), ids.get(i), others.get(i), true, scoring));
            }
            if (rerankId.isPresent()) {
                opened.add(
                        open(console, common, line, rerankModel, rerankId.get(), List.of(), false, Scoring.REQUIRED));
            }
            return new ServedModels(opened);
        } catch (IOException | RuntimeException | Error e) {
            opened.forEach(ServedModel::close);
            throw e;
        }
    }

    /// The one among the models that is the model that re-ranks too: it is opened once.
    private Optional<String> servedAnyway(String name) {
        return models.stream()
                .filter(model -> model.equals(name)
                        || folder(model).isPresent() && folder(model).equals(folder(name)))
                .findFirst();
    }

    /// A folder's path without links; empty for other names.
    private static Optional<Path> folder(String name) {
        try {
            return Optional.of(Path.of(name).toRealPath());
        } catch (IOException | InvalidPathException e) {
            return Optional.empty();
        }
    }

    private static void requireDistinct(
            List<String> ids, List<List<String>> others, Optional<String> rerankId, CommandLine line) {
        List<String> names = new ArrayList<>(ids);
        others.forEach(names::addAll);
        rerankId.ifPresent(names::add);
        ServedModels.givenTwice(names).ifPresent(name -> {
            throw new ParameterException(
                    line,
                    "two models are named %s, or one twice: expected different names of folders and of --alias"
                            .formatted(name));
        });
    }

    /// The aliases of each model.
    private List<List<String>> others(List<String> ids, CommandLine line) {
        List<List<String>> others = new ArrayList<>();
        ids.forEach(id -> others.add(new ArrayList<>()));
        for (String alias : aliases) {
            int equals = alias.indexOf('=');
            String name = equals < 0 ? alias : alias.substring(0, equals);
            int model = equals < 0 ? 0 : position(alias.substring(equals + 1), ids);
            if (name.isEmpty() || model < 0) {
                throw new ParameterException(
                        line,
                        "--alias: expected NAME or NAME=MODEL with one of the models %s, got %s"
                                .formatted(String.join(", ", ids), alias));
            }
            others.get(model).add(name);
        }
        return others;
    }

    private int position(String model, List<String> ids) {
        int place = ids.indexOf(model);
        return place >= 0 ? place : models.indexOf(model);
    }

    /// The name that clients use: that of the hub, or the name of the folder.
    private static String id(Optional<String> name) {
        if (name.isEmpty()) {
            return BUILT_IN;
        }
        Path path = Path.of(name.get());
        boolean hub =
                !path.isAbsolute() && path.getNameCount() == 2 && !path.toFile().exists();
        return hub
                ? name.get()
                : String.valueOf(path.toAbsolutePath().normalize().getFileName());
    }

    private ServedModel open(
            Console console,
            CommonOptions common,
            CommandLine line,
            Optional<String> name,
            String id,
            List<String> otherNames,
            boolean embeds,
            Scoring scoring)
            throws IOException {
        ModelLocation location = new ModelLocation(console, common.quiet(), common.strict());
        ModelOptions options = common.modelOptions();
        Model model = location.open(
                location.find(name),
                Optional.empty(),
                biases.isPresent() && embeds ? options.withBiases(biases.get()) : options,
                Model::open);
        try {
            Notices notices = common.notices(console);
            model.deviceNotice().ifPresent(notices::say);
            model.notices().forEach(notices::sayOfCheckpoint);
            Optional<BiEncoder> encoder =
                    embeds ? Optional.of(BiEncoder.of(model, common.biEncoder())) : Optional.empty();
            encoder.ifPresent(e -> e.notices().forEach(notices::sayOfCheckpoint));
            Optional<CrossEncoder> scorer = scorer(model, notices, common, line, scoring);
            Optional<String> note = name.isEmpty() ? Optional.of(BUILT_IN_NOTE) : Optional.empty();
            return new ServedModel(id, otherNames, model, encoder, scorer, note);
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    private Optional<CrossEncoder> scorer(
            Model model, Notices notices, CommonOptions common, CommandLine line, Scoring scoring) {
        if (scoring == Scoring.NONE) {
            return Optional.empty();
        }
        try {
            CrossEncoder scorer = CrossEncoder.of(model, reranker.apply(common.crossEncoder()));
            scorer.notices().forEach(notices::sayOfCheckpoint);
            return Optional.of(scorer);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(line, String.valueOf(e.getMessage()), e);
        } catch (UnsupportedModelException e) {
            if (scoring == Scoring.REQUIRED) {
                throw e;
            }
            notices.sayOfCheckpoint("no re-ranking: " + e.getMessage());
            return Optional.empty();
        }
    }
}
