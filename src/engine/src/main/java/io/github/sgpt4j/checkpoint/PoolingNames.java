package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.backend.PoolMode;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/// Names of pooling modes in sentence-transformers.
public final class PoolingNames {
    /// Names, in the order in which several modes are concatenated.
    private static final SequencedMap<String, PoolMode> NAMES = new LinkedHashMap<>();

    /// The older flags in `1_Pooling/config.json`, in the order in which their results are concatenated.
    static final SequencedMap<String, PoolMode> FLAGS = new LinkedHashMap<>();

    static {
        NAMES.put("cls", PoolMode.FIRST);
        NAMES.put("max", PoolMode.MAX);
        NAMES.put("mean", PoolMode.MEAN);
        NAMES.put("mean_sqrt_len_tokens", PoolMode.MEAN_SQRT_LENGTH);
        NAMES.put("weightedmean", PoolMode.WEIGHTED_MEAN);
        NAMES.put("lasttoken", PoolMode.LAST);
        FLAGS.put("pooling_mode_cls_token", PoolMode.FIRST);
        FLAGS.put("pooling_mode_max_tokens", PoolMode.MAX);
        FLAGS.put("pooling_mode_mean_tokens", PoolMode.MEAN);
        FLAGS.put("pooling_mode_mean_sqrt_len_tokens", PoolMode.MEAN_SQRT_LENGTH);
        FLAGS.put("pooling_mode_weightedmean_tokens", PoolMode.WEIGHTED_MEAN);
        FLAGS.put("pooling_mode_lasttoken", PoolMode.LAST);
    }

    private PoolingNames() {}

    /// The mode with a name such as `weightedmean`, ignoring case; empty if there is none.
    public static Optional<PoolMode> parse(String name) {
        return Optional.ofNullable(NAMES.get(name.toLowerCase(Locale.ROOT)));
    }

    /// The name of a mode.
    public static String name(PoolMode mode) {
        for (Map.Entry<String, PoolMode> entry : NAMES.entrySet()) {
            if (entry.getValue() == mode) {
                return entry.getKey();
            }
        }
        throw new IllegalArgumentException("unknown mode " + mode);
    }

    /// All names, for messages.
    public static String all() {
        return String.join(", ", NAMES.keySet());
    }
}
