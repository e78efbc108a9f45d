package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.tokenizer.CutSide;
import io.github.sgpt4j.tokenizer.EncodedText;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Prompts by a [PairTemplate].
public final class PieceFraming implements PairFraming {
    private final Tokenizer tokenizer;
    private final PairTemplate template;
    private final List<TemplatePiece> pieces;
    private final List<Optional<int[]>> fixed = new ArrayList<>();
    private final String instruction;
    private final int maxLength;
    private final int fixedTokens;

    /// @param instruction to put into prompts, if any
    /// @param maxLength the length that the template's cut refers to
    /// @throws IllegalArgumentException if it leaves no room for the texts
    public PieceFraming(Tokenizer tokenizer, PairTemplate template, Optional<String> instruction, int maxLength) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.instruction = instruction.orElse("");
        this.maxLength = maxLength;
        pieces = template.pieces(instruction);
        int tokens = 0;
        for (TemplatePiece piece : pieces) {
            Optional<int[]> ids = isFixed(piece)
                    ? Optional.of(tokenizer.encode(piece.filled(this.instruction, "", ""), false))
                    : Optional.empty();
            fixed.add(ids);
            tokens += ids.map(each -> each.length).orElse(0);
        }
        fixedTokens = tokens;
        int least = switch (template.form()) {
            case PIECES -> template.cut() == PairTemplate.Cut.PROMPT ? fixedTokens + 1 : 1;
            case TEXT -> tokenizer.specialTokensAdded() + 1;
            case PAIR -> tokenizer.specialTokensAddedToPair() + 1;
        };
        if (maxLength < least) {
            throw new IllegalArgumentException("maximal length %d: expected at least %d for the template %s"
                    .formatted(maxLength, least, template.name()));
        }
    }

    private static boolean isFixed(TemplatePiece piece) {
        return !piece.has(TemplatePiece.Place.QUERY) && !piece.has(TemplatePiece.Place.DOCUMENT);
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public int maxTokens() {
        if (template.form() != PairTemplate.Form.PIECES) {
            return maxLength;
        }
        return switch (template.cut()) {
            case PROMPT -> maxLength;
            case TEXTS -> Math.addExact(maxLength, fixedTokens - between());
            case TEXTS_AND_QUESTION -> Math.addExact(maxLength, between() + after() + last());
        };
    }

    @Override
    public EncodedText encode(String query, String document, Map<String, int[]> known, Cancellation cancellation) {
        return switch (template.form()) {
            case TEXT ->
                tokenizer.encodeCounted(
                        pieces.getFirst().filled(instruction, query, document),
                        maxLength,
                        CutSide.STATED,
                        cancellation);
            case PAIR ->
                tokenizer.encodePair(
                        pieces.getFirst().filled(instruction, query, document),
                        pieces.getLast().filled(instruction, query, document),
                        maxLength,
                        cancellation);
            case PIECES -> joined(query, document, known, cancellation);
        };
    }

    private EncodedText joined(String query, String document, Map<String, int[]> known, Cancellation cancellation) {
        int[][] ids = new int[pieces.size()][];
        int uncut = 0;
        for (int i = 0; i < ids.length; i++) {
            TemplatePiece piece = pieces.get(i);
            ids[i] = fixed.get(i)
                    .orElseGet(() -> known.computeIfAbsent(
                            piece.filled(instruction, query, document),
                            text -> tokenizer.encode(text, false, cancellation)));
            uncut = Math.addExact(uncut, ids[i].length);
        }
        switch (template.cut()) {
            case PROMPT -> cutToPrompt(ids);
            case TEXTS -> {
                cutQuery(ids);
                cutDocument(ids, maxLength - between() - queryTokens(ids));
            }
            case TEXTS_AND_QUESTION -> {
                cutQuery(ids);
                cutDocument(ids, Math.min(maxLength, maxLength + last() - before() - queryTokens(ids)));
            }
        }
        int[] all = new int[Arrays.stream(ids).mapToInt(each -> each.length).sum()];
        int at = 0;
        for (int[] each : ids) {
            System.arraycopy(each, 0, all, at, each.length);
            at += each.length;
        }
        return new EncodedText(all, uncut);
    }

    /// Pieces with the query alone keep their tokens if they can; pieces with the document get the rest.
    private void cutToPrompt(int[][] ids) {
        int room = maxLength - fixedTokens;
        for (int i = 0; i < ids.length; i++) {
            if (isQuery(i)) {
                ids[i] = cut(ids[i], room);
                room -= ids[i].length;
            }
        }
        for (int i = 0; i < ids.length; i++) {
            if (isDocument(i)) {
                ids[i] = cut(ids[i], room);
                room -= ids[i].length;
            }
        }
    }

    private void cutQuery(int[][] ids) {
        for (int i = 0; i < ids.length; i++) {
            if (isQuery(i)) {
                ids[i] = cut(ids[i], (int) (maxLength * 3L / 4));
            }
        }
    }

    private void cutDocument(int[][] ids, int room) {
        for (int i = 0; i < ids.length; i++) {
            if (isDocument(i)) {
                ids[i] = cut(ids[i], Math.max(0, room));
            }
        }
    }

    private int queryTokens(int[][] ids) {
        int tokens = 0;
        for (int i = 0; i < ids.length; i++) {
            tokens += isQuery(i) ? ids[i].length : 0;
        }
        return tokens;
    }

    private boolean isDocument(int piece) {
        return pieces.get(piece).has(TemplatePiece.Place.DOCUMENT);
    }

    private boolean isQuery(int piece) {
        return !isDocument(piece) && pieces.get(piece).has(TemplatePiece.Place.QUERY);
    }

    private static int[] cut(int[] ids, int room) {
        return ids.length <= room ? ids : Arrays.copyOf(ids, room);
    }

    /// Tokens before the first text.
    private int before() {
        int tokens = 0;
        for (int i = 0; i < fixed.size() && fixed.get(i).isPresent(); i++) {
            tokens += fixed.get(i).get().length;
        }
        return tokens;
    }

    /// Tokens between the texts.
    private int between() {
        int tokens = 0;
        boolean inside = false;
        for (int i = 0; i < fixed.size(); i++) {
            if (isDocument(i)) {
                return tokens;
            }
            inside |= isQuery(i);
            tokens += inside ? fixed.get(i).map(ids -> ids.length).orElse(0) : 0;
        }
        return tokens;
    }

    /// Tokens after the texts.
    private int after() {
        return fixedTokens - before() - between();
    }

    /// Tokens of the last piece.
    private int last() {
        return fixed.getLast().map(ids -> ids.length).orElse(0);
    }
}
