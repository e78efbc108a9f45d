package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.checkpoint.ChatSettings;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.template.ChatTemplate;
import io.github.sgpt4j.tokenizer.EncodedText;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Prompts by the chat template of a model's files, as sentence-transformers makes them: one message of the role
/// `system` with the instruction, if there is one, one of `query` and one of `document`. The text of the template
/// is tokenized without special tokens.
///
/// A prompt that is too long is cut on the right, and the template's end is written over its last ids: those that
/// prompts with any texts have in common.
public final class ChatFraming implements PairFraming {
    /// Texts whose tokens have nothing in common at the end.
    private static final List<String> PROBES = List.of("0", "1 2 3 4");

    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    private final ChatSettings settings;
    private final Optional<String> instruction;
    private final int maxLength;
    private final int[] end;

    /// @param instruction for the message `system`, if any
    /// @param maxLength maximum ids of a prompt
    /// @throws io.github.sgpt4j.error.SgptException if the template is broken, not supported, or has no place for
    ///     query and document
    /// @throws IllegalArgumentException if the template leaves no room for texts
    public ChatFraming(Tokenizer tokenizer, ChatSettings settings, Optional<String> instruction, int maxLength) {
        this.tokenizer = tokenizer;
        this.settings = settings;
        this.instruction = instruction;
        this.maxLength = maxLength;
        template = ChatTemplate.parse(settings.template(), settings.source().toString());
        requirePlaces();
        end = settings.keepsEnd() ? end() : new int[0];
        if (maxLength <= end.length) {
            throw new IllegalArgumentException("maximal length %d: expected at least %d for the template of %s"
                    .formatted(maxLength, end.length + 1, settings.source().getFileName()));
        }
    }

    /// Whether an instruction changes prompts.
    public boolean takesInstruction() {
        return !render(Optional.of(PROBES.getFirst()), "q", "d")
                .equals(render(Optional.of(PROBES.getLast()), "q", "d"));
    }

    private void requirePlaces() {
        String usual = render(instruction, PROBES.getFirst(), PROBES.getFirst());
        for (String role : List.of("query", "document")) {
            String other = role.equals("query")
                    ? render(instruction, PROBES.getLast(), PROBES.getFirst())
                    : render(instruction, PROBES.getFirst(), PROBES.getLast());
            if (other.equals(usual)) {
                throw new FormatException(
                        "%s: expected a chat template with a place for messages of the role \"%s\", found none"
                                .formatted(settings.source(), role));
            }
        }
    }

    private int[] end() {
        int[] first = tokenizer.encode(render(instruction, PROBES.getFirst(), PROBES.getFirst()), false);
        int[] second = tokenizer.encode(render(instruction, PROBES.getLast(), PROBES.getLast()), false);
        int common = 0;
        int most = Math.min(first.length, second.length);
        while (common < most && first[first.length - 1 - common] == second[second.length - 1 - common]) {
            common++;
        }
        return Arrays.copyOfRange(first, first.length - common, first.length);
    }

    private String render(Optional<String> system, String query, String document) {
        List<Object> messages = new ArrayList<>();
        system.ifPresent(text -> messages.add(message("system", text)));
        messages.add(message("query", query));
        messages.add(message("document", document));
        Map<String, Object> variables = new LinkedHashMap<>(settings.variables());
        variables.put("messages", messages);
        variables.putIfAbsent("add_generation_prompt", false);
        return template.render(variables);
    }

    private Map<String, Object> message(String role, String text) {
        Object content = settings.structured() ? List.of(Map.of("type", "text", "text", text)) : text;
        return Map.of("role", role, "content", content);
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public int maxTokens() {
        return maxLength;
    }

    @Override
    public EncodedText encode(String query, String document, Map<String, int[]> known, Cancellation cancellation) {
        int[] ids = tokenizer.encode(render(instruction, query, document), false, cancellation);
        if (ids.length <= maxLength) {
            return new EncodedText(ids, ids.length);
        }
        int[] cut = Arrays.copyOf(ids, maxLength);
        System.arraycopy(end, 0, cut, maxLength - end.length, end.length);
        return new EncodedText(cut, ids.length);
    }
}
