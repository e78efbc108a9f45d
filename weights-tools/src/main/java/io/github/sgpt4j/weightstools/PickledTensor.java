package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weightstools.pickle.TensorView;
import io.github.sgpt4j.weightstools.torch.TorchFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.function.LongConsumer;

/// A tensor of a pickled file, to be written.
///
/// @param name its name
/// @param file the file it is in; borrowed
/// @param view its elements there
/// @param type element type to write
record PickledTensor(String name, TorchFile file, TensorView view, ElementType type) implements PlannedTensor {
    private static final int PIECE_BYTES = 1 << 20;

    /// Largest piece copied at once; unchanged elements need no buffer.
    private static final int COPY_BYTES = 1 << 24;

    @Override
    public Shape shape() {
        return view.shape();
    }

    /// Whether another tensor has the same type and shape, and bitwise equal elements.
    boolean hasElementsOf(PickledTensor other) throws IOException {
        if (view.type() != other.view.type() || !view.shape().equals(other.view.shape())) {
            return false;
        }
        Gather own = new Gather(view, file.bytes(view.storage()));
        Gather others = new Gather(other.view, other.file.bytes(other.view.storage()));
        byte[] piece = new byte[PIECE_BYTES];
        byte[] otherPiece = new byte[PIECE_BYTES];
        while (own.left() > 0) {
            int bytes = own.next(piece) * view.type().bytes();
            others.next(otherPiece);
            if (!Arrays.equals(piece, 0, bytes, otherPiece, 0, bytes)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void writeTo(SafetensorsWriter.Sink out, LongConsumer written) throws IOException {
        MemorySegment storage = file.bytes(view.storage());
        Gather gather = new Gather(view, storage);
        if (type == view.type() && gather.isContiguous()) {
            writeInPlace(storage.asSlice(view.offset() * type.bytes(), bytes()), out, written);
            return;
        }
        byte[] piece = new byte[(int) Math.min(PIECE_BYTES, view.bytes())];
        boolean same = type == view.type();
        int most = piece.length / view.type().bytes();
        byte[] converted = new byte[same ? 0 : most * type.bytes()];
        float[] values = new float[same ? 0 : most];
        while (gather.left() > 0) {
            int count = gather.next(piece);
            if (!same) {
                Conversion.convert(
                        view.type(),
                        MemorySegment.ofArray(piece),
                        type,
                        MemorySegment.ofArray(converted),
                        values,
                        count);
            }
            int bytes = count * type.bytes();
            out.write(same ? piece : converted, 0, bytes);
            written.accept(bytes);
        }
    }

    private void writeInPlace(MemorySegment data, SafetensorsWriter.Sink out, LongConsumer written) throws IOException {
        OptionalLong position = file.position(data);
        for (long done = 0; done < data.byteSize(); ) {
            long count = Math.min(COPY_BYTES, data.byteSize() - done);
            if (position.isPresent()) {
                out.write(file.channel(), position.getAsLong() + done, count);
            } else {
                out.write(data.asSlice(done, count));
            }
            written.accept(count);
            done += count;
        }
    }
}
