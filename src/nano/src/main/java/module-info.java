/// A small built-in model and demo corpus.
module io.github.sgpt4j.nano {
    exports io.github.sgpt4j.nano;
}
