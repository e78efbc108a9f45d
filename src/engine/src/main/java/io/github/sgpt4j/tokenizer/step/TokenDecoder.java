package io.github.sgpt4j.tokenizer.step;

import io.github.sgpt4j.tokenizer.collection.Growth;
import io.github.sgpt4j.tokenizer.pattern.Splitter;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/// Turns tokens back into text, like the steps of `tokenizers::decoders`: each maps a list of strings
/// to another; the last list is joined.
public sealed interface TokenDecoder {
    List<String> decode(List<String> tokens);

    /// Joins the tokens with spaces, as without any decoder.
    record Spaces() implements TokenDecoder {
        @Override
        public List<String> decode(List<String> tokens) {
            return List.of(String.join(" ", tokens));
        }
    }

    /// Several steps in order.
    record Sequence(List<TokenDecoder> steps, Growth growth) implements TokenDecoder {
        public Sequence {
            steps = List.copyOf(steps);
        }

        @Override
        public List<String> decode(List<String> tokens) {
            List<String> result = tokens;
            for (TokenDecoder step : steps) {
                result = step.decode(result);
                growth.check(length(tokens), length(result));
            }
            return result;
        }

        private static long length(List<String> tokens) {
            return tokens.stream().mapToLong(String::length).sum();
        }
    }

    /// Converts characters of the byte-level alphabet to bytes and these to text; malformed UTF-8
    /// becomes U+FFFD. A token with other characters stands for its own UTF-8 form.
    record ByteLevel() implements TokenDecoder {
        @Override
        public List<String> decode(List<String> tokens) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (String token : tokens) {
                byte[] decoded = bytes(token);
                bytes.write(decoded, 0, decoded.length);
            }
            return List.of(LossyUtf8.decode(bytes.toByteArray()));
        }

        private static byte[] bytes(String token) {
            byte[] bytes = new byte[token.length()];
            for (int i = 0; i < bytes.length; i++) {
                int b = ByteLevelAlphabet.byteOf(token.charAt(i));
                if (b < 0) {
                    return token.getBytes(StandardCharsets.UTF_8);
                }
                bytes[i] = (byte) b;
            }
            return bytes;
        }
    }

    /// Replaces every match in each token.
    record Replace(Splitter pattern, String content, Growth growth) implements TokenDecoder {
        @Override
        public List<String> decode(List<String> tokens) {
            return tokens.stream().map(t -> pattern.replace(t, content, growth)).toList();
        }
    }

    /// Joins all tokens into one.
    record Fuse() implements TokenDecoder {
        @Override
        public List<String> decode(List<String> tokens) {
            return List.of(String.join("", tokens));
        }
    }

    /// Removes up to `start` and `end` occurrences of one character at the ends of each token.
    record Strip(int content, int start, int end) implements TokenDecoder {
        @Override
        public List<String> decode(List<String> tokens) {
            return tokens.stream().map(this::strip).toList();
        }

        private String strip(String token) {
            int width = Character.charCount(content);
            int from = 0;
            int to = token.length();
            for (int i = 0; i < start && from < to && token.codePointAt(from) == content; i++) {
                from += width;
            }
            for (int i = 0; i < end && to > from && token.codePointBefore(to) == content; i++) {
                to -= width;
            }
            return token.substring(from, to);
        }
    }

    /// Converts runs of tokens `<0x00>`…`<0xFF>` to the text of their bytes, or to one U+FFFD per byte
    /// if they are malformed.
    record ByteFallback() implements TokenDecoder {
        @Override
        public List<String> decode(List<String> tokens) {
            List<String> result = new ArrayList<>(tokens.size());
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (String token : tokens) {
                int b = byteOf(token);
                if (b >= 0) {
                    bytes.write(b);
                } else {
                    flush(bytes, result);
                    result.add(token);
                }
            }
            flush(bytes, result);
            return result;
        }

        private static void flush(ByteArrayOutputStream bytes, List<String> result) {
            if (bytes.size() > 0) {
                String text = bytes.toString(StandardCharsets.UTF_8);
                boolean valid = Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes.toByteArray());
                if (valid) {
                    result.add(text);
                } else {
                    result.addAll(Collections.nCopies(bytes.size(), "\uFFFD"));
                }
                bytes.reset();
            }
        }

        private static int byteOf(String token) {
            if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
                return -1;
            }
            int high = Character.digit(token.charAt(3), 16);
            int low = Character.digit(token.charAt(4), 16);
            return high < 0 || low < 0 || token.charAt(3) > 'f' || token.charAt(4) > 'f' ? -1 : high << 4 | low;
        }
    }

    /// Replaces signs by spaces.
    ///
    /// @param dropInFirst whether signs in the first token are removed instead
    record Metaspace(String sign, boolean dropInFirst) implements TokenDecoder {
        @Override
        public List<String> decode(List<String> tokens) {
            List<String> result = new ArrayList<>(tokens.size());
            for (int i = 0; i < tokens.size(); i++) {
                result.add(tokens.get(i).replace(sign, i == 0 && dropInFirst ? "" : " "));
            }
            return result;
        }
    }
}
