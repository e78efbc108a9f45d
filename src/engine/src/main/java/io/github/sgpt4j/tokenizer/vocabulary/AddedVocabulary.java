package io.github.sgpt4j.tokenizer.vocabulary;

import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.tokenizer.pattern.CharacterClasses;
import io.github.sgpt4j.tokenizer.step.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Added tokens and the search for them in a text, like `tokenizers::AddedVocabulary`: leftmost first,
/// the longest if several start at the same position. Built by a [Builder], then immutable.
public final class AddedVocabulary {
    private final Map<String, Integer> ids;
    private final Map<Integer, AddedToken> byId;
    private final Map<Integer, String> texts;
    private final Set<String> specialContents;
    private final boolean splitSpecial;
    private final TokenTrie plain = new TokenTrie();
    private final TokenTrie normalized = new TokenTrie();

    /// Receives the parts of a text in order.
    public interface Sink {
        /// The part `text[start, end)`, without added tokens, never empty.
        ///
        /// @param first whether it starts at the start of the text
        void text(String text, int start, int end, boolean first);

        /// The added token that `text[start, end)` stands for.
        void token(int id, String text, int start, int end);
    }

    private AddedVocabulary(Builder builder, Normalizer normalizer, boolean splitSpecial) {
        this.splitSpecial = splitSpecial;
        ids = Map.copyOf(builder.ids);
        byId = Map.copyOf(builder.byId);
        specialContents = Set.copyOf(builder.specialContents);
        Map<Integer, String> decoded = new HashMap<>();
        byId.forEach((id, token) ->
                decoded.put(id, token.normalized() ? normalizer.normalize(token.content()) : token.content()));
        texts = Map.copyOf(decoded);
        List<AddedToken> tokens = new ArrayList<>(builder.specials);
        tokens.addAll(builder.classics);
        for (AddedToken token : tokens) {
            String content = token.normalized() ? normalizer.normalize(token.content()) : token.content();
            if (content.isEmpty()) {
                throw new UnsupportedModelException(
                        "%s: added token \"%s\" is empty once normalized, which is not supported"
                                .formatted(builder.vocabulary.file(), token.content()));
            }
            (token.normalized() ? normalized : plain).add(content, builder.ids.getOrDefault(token.content(), 0));
        }
    }

    @Nullable
    public AddedToken token(int id) {
        return byId.get(id);
    }

    @Nullable
    public Integer id(String content) {
        return ids.get(content);
    }

    /// The text that a token decodes to: its normalized form if that is searched.
    @Nullable
    public String text(int id) {
        return texts.get(id);
    }

    public boolean isSpecial(String content) {
        return specialContents.contains(content);
    }

    public int size() {
        return byId.size();
    }

    public int highestId() {
        return byId.keySet().stream().mapToInt(Integer::intValue).max().orElse(-1);
    }

    /// Splits a text at the tokens that are searched before normalization.
    public void split(String text, Sink out) {
        split(text, true, plain, out);
    }

    /// Splits a normalized part of the text at the tokens that are searched after normalization.
    public void splitNormalized(String text, boolean first, Sink out) {
        split(text, first, normalized, out);
    }

    private void split(String text, boolean first, TokenTrie trie, Sink out) {
        int done = 0;
        int position = trie.isEmpty() ? text.length() : trie.candidate(text, 0);
        while (position < text.length()) {
            long found = trie.longest(text, position);
            if (found < 0) {
                position = trie.candidate(text, position + 1);
                continue;
            }
            int start = position;
            int end = (int) (found >>> 32);
            int id = (int) found;
            position = end;
            AddedToken token = byId.get(id);
            if (token == null
                    || splitSpecial && isSpecial(token.content())
                    || token.singleWord() && !standsAlone(text, start, end)) {
                continue;
            }
            if (token.leftStrip()) {
                start = Math.max(skipSpaceBefore(text, start), done);
            }
            if (token.rightStrip()) {
                end = skipSpaceAfter(text, end);
            }
            if (done < start) {
                out.text(text, done, start, first && done == 0);
            }
            out.token(id, text, start, end);
            done = end;
        }
        if (done < text.length()) {
            out.text(text, done, text.length(), first && done == 0);
        }
    }

    private static boolean standsAlone(String text, int start, int end) {
        return (start == 0 || !CharacterClasses.isWord(text.codePointBefore(start)))
                && (end == text.length() || !CharacterClasses.isWord(text.codePointAt(end)));
    }

    private static int skipSpaceBefore(String text, int start) {
        int i = start;
        while (i > 0 && CharacterClasses.isWhitespace(text.charAt(i - 1))) {
            i--;
        }
        return i;
    }

    private static int skipSpaceAfter(String text, int end) {
        int i = end;
        while (i < text.length() && CharacterClasses.isWhitespace(text.charAt(i))) {
            i++;
        }
        return i;
    }

    /// Collects added tokens in the order of the files that name them.
    public static final class Builder {
        /// Longer tokens would make the search slow on malicious text.
        private static final int MAX_LENGTH = 1024;

        private final Vocabulary vocabulary;
        private final Map<String, Integer> ids = new HashMap<>();
        private final Map<Integer, AddedToken> byId = new HashMap<>();
        private final Set<String> specialContents = new HashSet<>();
        private final Set<String> classicContents = new HashSet<>();
        private final List<AddedToken> specials = new ArrayList<>();
        private final List<AddedToken> classics = new ArrayList<>();
        private final Set<AddedToken> present = new HashSet<>();
        private int highest = -1;

        public Builder(Vocabulary vocabulary) {
            this.vocabulary = vocabulary;
        }

        /// Adds a token and returns its id: that of the same token in the vocabulary, otherwise the
        /// next free one. As in the reference implementation, the id stated in a file is ignored.
        public int add(AddedToken token) {
            if (token.content().length() > MAX_LENGTH) {
                throw new UnsupportedModelException("%s: expected added tokens of at most %d characters, got %d"
                        .formatted(
                                vocabulary.file(), MAX_LENGTH, token.content().length()));
            }
            if (token.special() && specialContents.add(token.content())) {
                specials.add(token);
            }
            Integer known = ids.get(token.content());
            if (known != null && present.contains(token)) {
                return known;
            }
            int id = known != null ? known : vocabulary.id(token.content());
            if (id == Vocabulary.ABSENT) {
                id = highest >= vocabulary.size() || vocabulary.size() == 0 ? highest + 1 : vocabulary.size();
            }
            ids.put(token.content(), id);
            highest = Math.max(highest, id);
            AddedToken before = byId.put(id, token);
            if (before != null) {
                present.remove(before);
            }
            present.add(token);
            if (!specialContents.contains(token.content()) && classicContents.add(token.content())) {
                classics.add(token);
            }
            return id;
        }

        @Nullable
        public Integer id(String content) {
            return ids.get(content);
        }

        /// The current token with this content.
        @Nullable
        public AddedToken token(String content) {
            Integer id = ids.get(content);
            return id == null ? null : byId.get(id);
        }

        /// @param splitSpecial whether special tokens that are written out in a text are plain text
        public AddedVocabulary build(Normalizer normalizer, boolean splitSpecial) {
            return new AddedVocabulary(this, normalizer, splitSpecial);
        }
    }
}
