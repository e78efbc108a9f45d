/// A small built-in model and demo corpus.
module io.github.sgpt4j.nano {
    requires transitive io.github.sgpt4j.engine;

    exports io.github.sgpt4j.nano;
}
