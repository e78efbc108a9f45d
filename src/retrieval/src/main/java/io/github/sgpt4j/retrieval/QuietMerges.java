package io.github.sgpt4j.retrieval;

import org.apache.lucene.index.ConcurrentMergeScheduler;

/// Merges in threads of their own. A failure there ends the writer, which tells its callers; nothing is
/// printed.
final class QuietMerges extends ConcurrentMergeScheduler {
    @Override
    protected void handleMergeException(Throwable failure) {
        // The writer remembers the failure.
    }
}
