package io.github.sgpt4j.jmh;

import java.util.ArrayList;
import java.util.List;

/// The four matrix products of a layer, with as many rows as a full batch has tokens: the cost of a forward pass that
/// consists of nothing but matrix products.
record LayerProducts(List<Peer.Product> products, double flops) implements AutoCloseable {
    private static final int BATCH_ROWS = 4096;
    private static final int QUERY_ROWS = 16;

    static LayerProducts open(Peer library, ModelShape shape, int threads) {
        List<Peer.Product> products = new ArrayList<>();
        double flops = 0;
        for (MatmulShape product : ofLayer(shape, BATCH_ROWS)) {
            products.add(product.open(library, threads));
            flops += product.flops();
        }
        return new LayerProducts(products, flops);
    }

    /// Products to measure individually: those of a batch and, unless `few`, those of a document and a query.
    static List<MatmulShape> shapes(ModelShape shape, boolean few) {
        List<MatmulShape> shapes = new ArrayList<>(ofLayer(shape, BATCH_ROWS));
        if (!few) {
            shapes.addAll(ofLayer(shape, Settings.DOCUMENT_TOKENS));
            shapes.addAll(ofLayer(shape, QUERY_ROWS));
        }
        return shapes;
    }

    private static List<MatmulShape> ofLayer(ModelShape shape, int rows) {
        int hidden = shape.hidden();
        return List.of(
                new MatmulShape(rows, hidden, 3 * hidden),
                new MatmulShape(rows, hidden, hidden),
                new MatmulShape(rows, hidden, shape.feedForward()),
                new MatmulShape(rows, shape.feedForward(), hidden));
    }

    void run() {
        products.forEach(Peer.Product::run);
    }

    @Override
    public void close() {
        products.forEach(Peer.Product::close);
    }
}
