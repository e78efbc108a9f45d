package io.github.sgpt4j.jmh.peers;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import io.github.sgpt4j.jmh.Peer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/// Hugging Face's tokenizers through DJL.
final class RustTokenizer implements Peer.Encoder {
    private final HuggingFaceTokenizer tokenizer;

    /// @param maxTokens texts are truncated to this many tokens; 0 for no limit
    RustTokenizer(Path checkpoint, int maxTokens) {
        try {
            HuggingFaceTokenizer.Builder builder = HuggingFaceTokenizer.builder()
                    .optTokenizerPath(checkpoint.resolve("tokenizer.json"))
                    .optAddSpecialTokens(false)
                    .optPadding(false)
                    .optTruncation(maxTokens > 0);
            tokenizer = (maxTokens > 0 ? builder.optMaxLength(maxTokens) : builder).build();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Ids only, bypassing the wrapper that also fetches tokens, offsets and masks: the library's minimum of
    /// work.
    @Override
    public int[] encode(String text) {
        long encoding = TokenizersLibrary.LIB.encode(tokenizer.getHandle(), text, false);
        try {
            return toInts(TokenizersLibrary.LIB.getTokenIds(encoding));
        } finally {
            TokenizersLibrary.LIB.deleteEncoding(encoding);
        }
    }

    /// Many texts on all cores, as users would call it.
    int[][] encodeAll(List<String> texts) {
        Encoding[] encodings = tokenizer.batchEncode(texts, false, false);
        int[][] ids = new int[encodings.length][];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = toInts(encodings[i].getIds());
        }
        return ids;
    }

    private static int[] toInts(long[] values) {
        int[] ints = new int[values.length];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = Math.toIntExact(values[i]);
        }
        return ints;
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
