package io.github.sgpt4j;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.checkpoint.ModelName;
import io.github.sgpt4j.checkpoint.PairSettings;
import io.github.sgpt4j.checkpoint.ScoreActivation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.inference.ChatFraming;
import io.github.sgpt4j.inference.ChoiceFraming;
import io.github.sgpt4j.inference.PairFraming;
import io.github.sgpt4j.inference.PairPrompt;
import io.github.sgpt4j.inference.PairScorer;
import io.github.sgpt4j.inference.PairScoring;
import io.github.sgpt4j.inference.PairTemplate;
import io.github.sgpt4j.inference.PairTemplates;
import io.github.sgpt4j.inference.PieceFraming;
import io.github.sgpt4j.inference.PromptScorer;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.TokenLayer;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.regex.Pattern;

/// How a model scores pairs: as the options ask, otherwise as its files say, otherwise by its published name,
/// otherwise by likelihood.
///
/// @param method what is computed
/// @param template name of the prompts' template
/// @param source where method and template come from, in a few words
/// @param prompts the prompts' template; empty for the likelihood and for a chat template
/// @param chat whether the files' chat template makes the prompts
/// @param tokens ids whose logits are the score, the one that counts first; empty unless they are read
/// @param activation what becomes of a raw score
/// @param instruction what prompts are filled with, if anything
/// @param settings of the files
/// @param choice the prompt whose choices are scored, if they are
record ScoringPlan(
        ScoringMethod method,
        String template,
        String source,
        Optional<PairTemplate> prompts,
        boolean chat,
        List<Integer> tokens,
        ScoreActivation activation,
        Optional<String> instruction,
        PairSettings settings,
        Optional<PairPrompt> choice) {
    /// A choice of template, before it meets the model.
    private record Chosen(Optional<PairTemplate> prompts, String source, boolean asked) {}

    /// @throws IllegalArgumentException if an option has no effect, or does not suit the model
    /// @throws io.github.sgpt4j.error.SgptException if a file is broken or asks for something unsupported
    static ScoringPlan of(Model model, CrossEncoderOptions options) {
        PairSettings settings = model.checkpoint().pairs();
        boolean head = model.decoder().scores();
        Chosen chosen = choose(model, settings, options, head);
        boolean chat = chosen.prompts.isEmpty() && settings.chat().isPresent() && !chosen.asked;
        if (chosen.prompts.isEmpty() && !chat) {
            return options.scoringPrompt().choices().isEmpty()
                    ? likelihood(chosen, settings, options)
                    : choices(model, chosen, settings, options);
        }
        ScoringPlan plan = new ScoringPlan(
                head ? ScoringMethod.HEAD : ScoringMethod.CHOICE,
                name(chosen),
                chosen.source,
                chosen.prompts,
                chat,
                head ? List.of() : tokens(model, chosen, settings),
                activation(chosen, settings, options),
                instruction(chosen, settings, options),
                settings,
                Optional.empty());
        if (!options.scoringPrompt().scoresAs(CrossEncoderOptions.DEFAULT.scoringPrompt())) {
            throw new IllegalArgumentException("prompt: has no effect with the template %s (%s), only with likelihood"
                    .formatted(plan.template, plan.source));
        }
        return plan;
    }

    /// Whether a model scores by default with a few rows of its output head.
    static boolean readsFewRows(Model model) {
        try {
            return of(model, CrossEncoderOptions.DEFAULT).method() == ScoringMethod.CHOICE;
        } catch (FormatException | UnsupportedModelException e) {
            return false;
        }
    }

    /// What says that a model is a re-ranker, if anything does.
    static Optional<String> trainedToScore(Model model) {
        try {
            ScoringPlan plan = of(model, CrossEncoderOptions.DEFAULT);
            return plan.method() == ScoringMethod.LIKELIHOOD ? Optional.empty() : Optional.of(plan.source);
        } catch (FormatException | UnsupportedModelException e) {
            return Optional.empty();
        }
    }

    private static String name(Chosen chosen) {
        return chosen.prompts.map(PairTemplate::name).orElse("chat");
    }

    private static Chosen choose(Model model, PairSettings settings, CrossEncoderOptions options, boolean head) {
        if (options.template().isPresent()) {
            return new Chosen(options.template().get().pieces(), "asked for", true);
        }
        boolean pairs = model.modules().scorePairs();
        if (pairs && settings.chat().isPresent()) {
            return new Chosen(
                    Optional.empty(),
                    "modules.json and %s"
                            .formatted(settings.chat().get().source().getFileName()),
                    false);
        }
        for (var named : PairTemplates.BY_MODEL.entrySet()) {
            Optional<String> found = named(model, named.getKey());
            if (found.isPresent()) {
                return new Chosen(Optional.of(named.getValue()), found.get(), false);
            }
        }
        if (pairs || head) {
            String file = pairs ? "modules.json" : "\"architectures\" of config.json";
            return new Chosen(
                    Optional.of(PairTemplate.PAIR),
                    "%s, without a template: query and document are a pair of texts".formatted(file),
                    false);
        }
        return new Chosen(Optional.empty(), "default, as neither files nor name say otherwise", false);
    }

    private static Optional<String> named(Model model, Pattern pattern) {
        return ModelName.source(model.directory(), model.checkpoint().json(), pattern);
    }

    private static ScoringPlan likelihood(Chosen chosen, PairSettings settings, CrossEncoderOptions options) {
        refuseInstruction(chosen, options);
        if (options.rawScores()) {
            throw new IllegalArgumentException(
                    "raw scores: have no effect with the template likelihood (%s)".formatted(chosen.source));
        }
        return new ScoringPlan(
                ScoringMethod.LIKELIHOOD,
                RerankTemplate.LIKELIHOOD.name(),
                chosen.source,
                Optional.empty(),
                false,
                List.of(),
                ScoreActivation.NONE,
                Optional.empty(),
                settings,
                Optional.empty());
    }

    private static void refuseInstruction(Chosen chosen, CrossEncoderOptions options) {
        if (options.instruction().isPresent()) {
            throw new IllegalArgumentException(
                    "instruction: has no effect with the template likelihood (%s)".formatted(chosen.source));
        }
    }

    /// A few tokens after SGPT's prompt, instead of the query's likelihood.
    private static ScoringPlan choices(Model model, Chosen chosen, PairSettings settings, CrossEncoderOptions options) {
        refuseInstruction(chosen, options);
        PairPrompt prompt = options.scoringPrompt().prompt();
        List<Integer> tokens = prompt.choices().stream()
                .map(text -> token(model.tokenizer(), text))
                .toList();
        if (tokens.stream().distinct().count() < tokens.size()) {
            throw new UnsupportedModelException(
                    "prompt %s: expected choices that are different tokens of the model's vocabulary, got %s"
                            .formatted(prompt.name(), tokens));
        }
        return new ScoringPlan(
                ScoringMethod.CHOICE,
                prompt.name(),
                "asked for by the prompt",
                Optional.empty(),
                false,
                tokens,
                options.rawScores() ? ScoreActivation.NONE : ScoreActivation.LOG_SIGMOID,
                Optional.empty(),
                settings,
                Optional.of(prompt));
    }

    /// Whether the prompt of the options makes the prompts.
    boolean usesPrompt() {
        return method == ScoringMethod.LIKELIHOOD || choice.isPresent();
    }

    /// An activation of the files counts more than that of a published usage, but less than that of a template
    /// that was asked for.
    private static ScoreActivation activation(Chosen chosen, PairSettings settings, CrossEncoderOptions options) {
        if (options.rawScores()) {
            return ScoreActivation.NONE;
        }
        Optional<ScoreActivation> ofTemplate = chosen.prompts.flatMap(PairTemplate::activation);
        return (chosen.asked
                        ? ofTemplate.or(settings::activation)
                        : settings.activation().or(() -> ofTemplate))
                .orElse(ScoreActivation.SIGMOID);
    }

    private static Optional<String> instruction(Chosen chosen, PairSettings settings, CrossEncoderOptions options) {
        Optional<String> asked = options.instruction();
        if (chosen.prompts.isEmpty()) {
            return asked.or(settings::instruction).filter(text -> !text.isEmpty());
        }
        PairTemplate template = chosen.prompts.get();
        if (asked.isPresent() && !template.takesInstruction()) {
            throw new IllegalArgumentException(
                    "instruction: has no effect with the template %s (%s)".formatted(template.name(), chosen.source));
        }
        Optional<String> instruction = asked.or(template::instruction)
                .filter(text ->
                        !text.isEmpty() || template.piecesWithoutInstruction().isEmpty());
        if (instruction.isEmpty()
                && template.takesInstruction()
                && template.piecesWithoutInstruction().isEmpty()) {
            throw new IllegalArgumentException(
                    "instruction: the template %s needs one, expected a text, got none".formatted(template.name()));
        }
        return instruction;
    }

    private static List<Integer> tokens(Model model, Chosen chosen, PairSettings settings) {
        Optional<String> yes = chosen.prompts.flatMap(PairTemplate::trueToken);
        if (yes.isPresent()) {
            List<Integer> tokens = new ArrayList<>();
            tokens.add(token(model.tokenizer(), yes.get()));
            chosen.prompts.flatMap(PairTemplate::falseToken).ifPresent(no -> tokens.add(token(model.tokenizer(), no)));
            return List.copyOf(tokens);
        }
        PairSettings.LogitTokens logits = settings.logits()
                .orElseThrow(() -> new UnsupportedModelException(
                        "%s: the template %s needs a classification head with one label: expected a class for sequence classification in \"architectures\" of config.json and one label in \"id2label\", found none"
                                .formatted(model.directory(), name(chosen))));
        List<Integer> tokens = new ArrayList<>();
        tokens.add(logits.trueToken());
        logits.falseToken().ifPresent(tokens::add);
        for (int id : tokens) {
            if (id >= model.decoder().config().vocabulary()) {
                throw new FormatException("%s: expected ids of tokens below %d, got %d"
                        .formatted(logits.file(), model.decoder().config().vocabulary(), id));
            }
        }
        return List.copyOf(tokens);
    }

    private static int token(Tokenizer tokenizer, String text) {
        OptionalInt known = tokenizer.tokenId(text);
        int[] ids = known.isPresent() ? new int[] {known.getAsInt()} : tokenizer.encode(text, false);
        if (ids.length != 1) {
            throw new UnsupportedModelException(
                    "template: expected %s to be one token of the model's vocabulary, got %d tokens"
                            .formatted(Quoted.of(text), ids.length));
        }
        return ids[0];
    }

    /// The scorer of this plan.
    ///
    /// @param maxLength as of [#maxLength]
    PairScoring<?> scorer(Model model, CrossEncoderOptions options, int maxLength) {
        if (method == ScoringMethod.LIKELIHOOD) {
            model.lanes().decoders().forEach(Decoder::requireHead);
            PairPrompt prompt = options.scoringPrompt().prompt();
            int vocabulary = prompt.baseVocabulary() ? model.tokenizer().baseVocabularySize() : Integer.MAX_VALUE;
            return new PairScorer(model.lanes(), model.tokenizer(), prompt.template(), maxLength, vocabulary);
        }
        int longest = model.decoder().config().longest();
        PairFraming framing = framing(model, options, maxLength);
        if (options.instruction().isPresent() && framing instanceof ChatFraming ofChat && !ofChat.takesInstruction()) {
            throw new IllegalArgumentException(
                    "instruction: has no effect with the template %s (%s)".formatted(template, source));
        }
        if (framing.maxTokens() > longest) {
            throw new IllegalArgumentException(
                    "maximal length %d: expected at most %d with the template %s, so that prompts have no more than the model's %d positions"
                            .formatted(maxLength, longest - (framing.maxTokens() - maxLength), template, longest));
        }
        Function<Decoder, TokenLayer> layer =
                method == ScoringMethod.HEAD ? Decoder::scoreLayer : decoder -> decoder.logitLayer(tokens);
        return PromptScorer.of(
                model.backend(),
                model.lanes(),
                layer,
                method == ScoringMethod.HEAD ? settings.pooling() : PoolMode.LAST,
                framing,
                method == ScoringMethod.HEAD ? settings.padding() : OptionalInt.empty(),
                method == ScoringMethod.HEAD ? 0 : model.decoder().config().logitSoftcap(),
                method == ScoringMethod.HEAD ? settings.temperature() : 1);
    }

    /// Checks what can be checked without reading weights.
    ///
    /// @throws io.github.sgpt4j.error.SgptException as [#scorer]
    /// @throws IllegalArgumentException as [#scorer]
    void check(Model model) {
        if (method == ScoringMethod.LIKELIHOOD) {
            model.decoder().checkHead();
        } else {
            framing(model, CrossEncoderOptions.DEFAULT, maxLength(model, CrossEncoderOptions.DEFAULT));
        }
    }

    /// The length that pairs are cut to, as the template counts.
    int maxLength(Model model, CrossEncoderOptions options) {
        if (options.maxLength().isPresent()) {
            return options.maxLength().getAsInt();
        }
        if (usesPrompt()) {
            return model.decoder().config().maxPositions();
        }
        int ofModel = model.maxLength();
        int usual = Math.min(
                ofModel,
                prompts.map(PairTemplate::maxLength).orElse(OptionalInt.empty()).orElse(ofModel));
        int longest = model.decoder().config().longest();
        if (prompts.isEmpty()) {
            return usual;
        }
        int beyond = framing(model, options, usual).maxTokens() - usual;
        return usual + beyond > longest ? Math.max(1, longest - beyond) : usual;
    }

    /// @throws IllegalArgumentException if the length that was asked for leaves no room for texts
    /// @throws FormatException if that of the files does
    private PairFraming framing(Model model, CrossEncoderOptions options, int maxLength) {
        try {
            return framing(model, maxLength);
        } catch (IllegalArgumentException e) {
            if (options.maxLength().isPresent()) {
                throw e;
            }
            throw new FormatException("%s: %s".formatted(model.directory(), e.getMessage()), e);
        }
    }

    private PairFraming framing(Model model, int maxLength) {
        if (choice.isPresent()) {
            return new ChoiceFraming(model.tokenizer(), choice.get().template(), tokens.getFirst(), maxLength);
        }
        return prompts.isPresent()
                ? new PieceFraming(model.tokenizer(), prompts.get(), instruction, maxLength)
                : new ChatFraming(model.tokenizer(), settings.chat().orElseThrow(), instruction, maxLength);
    }

    /// What scores depend on, in addition to model, prompt and maximum length; nothing for the likelihood.
    List<String> identity() {
        if (method == ScoringMethod.LIKELIHOOD) {
            return List.of();
        }
        return List.of(
                method.toString(),
                tokens.toString(),
                activation.toString(),
                instruction.toString(),
                prompts.map(PairTemplate::toString).orElse(""),
                settings.identity());
    }

    /// One sentence for users, if the files leave open what prompts look like.
    List<String> notices(Model model) {
        return prompts.filter(PairTemplate.PAIR::equals).isPresent()
                ? List.of(
                        "%s: no template of prompts is stated or known: query and document are scored as a pair of texts, as sentence-transformers does"
                                .formatted(model.directory()))
                : List.of();
    }
}
