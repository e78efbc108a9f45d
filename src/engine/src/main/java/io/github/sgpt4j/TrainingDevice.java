package io.github.sgpt4j;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.GradientPass;
import io.github.sgpt4j.model.Gradients;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/// One of the devices of a [TrainableModel]: its copy of the model, and the sums of the gradients computed there.
///
/// Used by one thread at a time. Same calls give the same bits, for any number of CPU threads.
public final class TrainingDevice {
    private final Model model;
    private final Decoder decoder;
    private final Gradients gradients;
    /// Leading tokens that pooling leaves out, by kind of text.
    private final int[] promptLengths;

    private final List<PoolMode> modes;

    /// @param gradients closed with this object
    TrainingDevice(Model model, Decoder decoder, Gradients gradients, int[] promptLengths, List<PoolMode> modes) {
        this.model = model;
        this.decoder = decoder;
        this.gradients = gradients;
        this.promptLengths = promptLengths.clone();
        this.modes = List.copyOf(modes);
    }

    /// Bytes that [#forward] and [Pass#backward] need for each token, at most.
    public long bytesPerToken() {
        return decoder.passBytesPerToken();
    }

    /// Bytes that the passes of this device should need together, at most. On the CPU that is a share of the heap.
    ///
    /// @param held bytes of the heap that the training holds for other things
    public long roomForPasses(long held) {
        return decoder.roomForPasses(held);
    }

    /// Embeds token ids and keeps nothing: the same bits as [#forward].
    ///
    /// @param texts computed at the same time, without order; each at least one id
    /// @param kinds kind of each text, which decides where pooling starts if a prompt is left out
    /// @return `[texts][dimension]`, neither cut nor scaled
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public float[][] embed(List<int[]> texts, List<TextKind> kinds) {
        return computing("embedding texts", cancellation -> {
            try (GradientPass pass = pass(texts, kinds, cancellation)) {
                return pass.embed();
            }
        });
    }

    /// Embeds token ids and keeps what is needed to differentiate; the caller closes the result.
    ///
    /// @param texts as for [#embed]
    /// @param kinds as for [#embed]
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public Pass forward(List<int[]> texts, List<TextKind> kinds) {
        return computing("training", cancellation -> {
            GradientPass pass = pass(texts, kinds, cancellation);
            try {
                return new Pass(pass, pass.forward());
            } catch (RuntimeException | Error e) {
                pass.close();
                throw e;
            }
        });
    }

    private GradientPass pass(List<int[]> texts, List<TextKind> kinds, Cancellation cancellation) {
        int[] skip = new int[texts.size()];
        Arrays.setAll(
                skip,
                i -> Math.min(texts.get(i).length, promptLengths[kinds.get(i).ordinal()]));
        return decoder.gradientPass(texts, skip, modes, cancellation);
    }

    private <T> T computing(String what, Function<Cancellation, T> computation) {
        Cancellation cancellation = Cancellation.ofThisThread(what);
        cancellation.check();
        return model.whileOpen(() -> computation.apply(cancellation));
    }

    /// The embeddings of some texts, with what is needed to differentiate them. Holds device memory until closed.
    public final class Pass implements AutoCloseable {
        private final GradientPass pass;
        private final float[][] embeddings;

        private Pass(GradientPass pass, float[][] embeddings) {
            this.pass = pass;
            this.embeddings = embeddings;
        }

        /// `[texts][dimension]`; must not be changed.
        public float[][] embeddings() {
            return embeddings;
        }

        /// Adds the gradients of the trained tensors to the sums that [TrainableModel#gradient] reads. Called once.
        ///
        /// @param gradients of the loss with respect to [#embeddings], of the same shape
        /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted: the sums are
        ///     useless then
        public void backward(float[][] gradients) {
            computing("training", cancellation -> {
                pass.backward(gradients, TrainingDevice.this.gradients);
                return true;
            });
        }

        @Override
        public void close() {
            pass.close();
        }
    }

    Gradients gradients() {
        return gradients;
    }

    void close() {
        gradients.close();
    }
}
