package io.github.sgpt4j.spring.ai;

import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells the log, the first time, that a model did not read texts to their ends.
final class CutTexts {
    private static final Logger LOG = LoggerFactory.getLogger(CutTexts.class);

    private final String what;
    private final AtomicBoolean told = new AtomicBoolean();

    /// @param what is cut, and by which model: the start of the sentence
    CutTexts(String what) {
        this.what = what;
    }

    /// @param cut how many texts of a request were cut
    /// @param maxLength tokens that are read of each
    void tell(long cut, int maxLength) {
        if (cut > 0 && told.compareAndSet(false, true)) {
            LOG.warn("{}: {} of one request cut to {} tokens; later ones are not reported here", what, cut, maxLength);
        }
    }
}
