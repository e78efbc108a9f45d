package io.github.sgpt4j.server.dialect;

import io.github.sgpt4j.server.ServerOptions;
import io.github.sgpt4j.server.inference.Inference;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.models.ServedModels;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Excerpt;
import io.github.sgpt4j.server.problem.Problem;
import io.github.sgpt4j.server.search.SearchCollection;
import java.util.Optional;

/// What routes need once the models are loaded.
///
/// @param models embed and score
/// @param inference runs them
/// @param batchTokens most tokens of a batch
/// @param collection documents to search, if there are any
/// @param documentsPending whether there will be documents soon
public record Service(
        ServedModels models,
        Inference inference,
        ServerOptions options,
        int batchTokens,
        Optional<SearchCollection> collection,
        boolean documentsPending) {
    /// The same with documents to search, or without any.
    public Service with(Optional<SearchCollection> documents) {
        return new Service(models, inference, options, batchTokens, documents, false);
    }

    /// The documents that are searched.
    ///
    /// @throws ApiException if there are none, or not yet
    SearchCollection documents() {
        return collection.orElseThrow(() -> documentsPending
                ? new ApiException(
                        Problem.UNAVAILABLE, "the documents are being prepared for the first search: try again soon")
                : new ApiException(
                        Problem.PATH_NOT_FOUND, "this server has no documents to search: start it with an index"));
    }

    /// The model that a request names, or the first, whatever it can do.
    ///
    /// @throws ApiException if there is no such model
    ServedModel model(Optional<String> name) {
        return models.named(known(name)).orElseThrow(() -> missing(name, "tokenize"));
    }

    /// The model that a request names, or the first that embeds.
    ///
    /// @throws ApiException if there is no such model, or it does not embed
    ServedModels.Embedder embedder(Optional<String> name) {
        Optional<String> known = known(name);
        ServedModels.Embedder embedder = models.embedder(known).orElseThrow(() -> missing(name, "embed"));
        // A name that is not known may have a suffix, too.
        return known.isPresent()
                ? embedder
                : new ServedModels.Embedder(embedder.model(), embedder.encoder(), name.flatMap(ServedModels::kind));
    }

    /// The model that a request names, or the first that scores.
    ///
    /// @throws ApiException if there is no such model, or it does not score
    ServedModels.Scorer scorer(Optional<String> name) {
        return models.scorer(known(name)).orElseThrow(() -> missing(name, "re-rank"));
    }

    private Optional<String> known(Optional<String> name) {
        return name.isPresent() && options.anyModel() && !models.knows(name.get()) ? Optional.empty() : name;
    }

    private ApiException missing(Optional<String> name, String work) {
        return name.isEmpty() || models.knows(name.get())
                ? new ApiException(
                        Problem.MODEL_TYPE,
                        "model",
                        name.isEmpty() ? "no model here can " + work : "model %s cannot %s".formatted(name.get(), work))
                : new ApiException(
                        Problem.MODEL_NOT_FOUND,
                        "model",
                        "model %s is not served: GET /v1/models lists those that are"
                                .formatted(Excerpt.of(name.get())));
    }
}
