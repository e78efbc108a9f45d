package io.github.sgpt4j.retrieval;

import java.io.IOException;
import org.apache.lucene.codecs.Codec;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.codecs.lucene104.Lucene104Codec;
import org.apache.lucene.codecs.lucene104.Lucene104HnswScalarQuantizedVectorsFormat;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;
import org.apache.lucene.util.quantization.QuantizedByteVectorValues.ScalarEncoding;

/// Lucene's own file formats with this library's options. Any Lucene of the same major version reads them.
final class VectorCodec {
    /// Lucene's own formats allow 1,024; embeddings of the larger SGPT models have 4,096.
    static final int MAX_DIMENSIONS = 1 << 16;

    private VectorCodec() {}

    static Codec of(IndexOptions options) {
        KnnVectorsFormat format = new WideFormat(
                switch (options.storage()) {
                    case FLOAT32 -> new Lucene99HnswVectorsFormat(options.connections(), options.beamWidth());
                    case INT8 ->
                        new Lucene104HnswScalarQuantizedVectorsFormat(
                                ScalarEncoding.UNSIGNED_BYTE, options.connections(), options.beamWidth());
                });
        return new Lucene104Codec() {
            @Override
            public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
                return format;
            }
        };
    }

    /// A format under its own name, with another limit.
    private static final class WideFormat extends KnnVectorsFormat {
        private final KnnVectorsFormat format;

        WideFormat(KnnVectorsFormat format) {
            super(format.getName());
            this.format = format;
        }

        @Override
        public KnnVectorsWriter fieldsWriter(SegmentWriteState state) throws IOException {
            return format.fieldsWriter(state);
        }

        @Override
        public KnnVectorsReader fieldsReader(SegmentReadState state) throws IOException {
            return format.fieldsReader(state);
        }

        @Override
        public int getMaxDimensions(String field) {
            return MAX_DIMENSIONS;
        }
    }
}
