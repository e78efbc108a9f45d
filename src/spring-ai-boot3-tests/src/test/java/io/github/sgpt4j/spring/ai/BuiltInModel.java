package io.github.sgpt4j.spring.ai;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.nano.NanoModel;

/// The built-in model, opened once for all tests of a run.
final class BuiltInModel {
    static final Model MODEL = Model.open(NanoModel.directory());
    static final BiEncoder ENCODER = BiEncoder.of(MODEL, BiEncoderOptions.DEFAULT);
    static final CrossEncoder RE_RANKER = CrossEncoder.of(MODEL, CrossEncoderOptions.DEFAULT);

    private BuiltInModel() {}
}
