package io.github.sgpt4j.server.routing;

/// Whether the models can be used.
public enum Readiness {
    /// Not yet.
    LOADING("the models are being loaded"),
    /// They can.
    READY("ready"),
    /// They could not be opened.
    FAILED("the models could not be loaded"),
    /// Running requests are finished; no more are taken.
    DRAINING("the server is ending");

    private final String sentence;

    Readiness(String sentence) {
        this.sentence = sentence;
    }

    /// In words, for clients.
    public String sentence() {
        return sentence;
    }
}
