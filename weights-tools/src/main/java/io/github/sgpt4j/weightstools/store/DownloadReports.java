package io.github.sgpt4j.weightstools.store;

import io.github.sgpt4j.weightstools.ModelsListener;
import io.github.sgpt4j.weightstools.hub.HubListener;

/// The part of a listener that reports a download.
final class DownloadReports {
    private DownloadReports() {}

    static HubListener to(ModelsListener listener) {
        return new HubListener() {
            @Override
            public void notice(String sentence) {
                listener.notice(sentence);
            }

            @Override
            public void progress(long done, long total) {
                listener.downloading(done, total);
            }

            @Override
            public void fetched(String path, long bytes) {
                listener.fetched(path, bytes);
            }
        };
    }
}
