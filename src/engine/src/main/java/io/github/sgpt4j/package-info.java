/// The public API: [BiEncoder] turns texts into embeddings, [CrossEncoder] scores documents for a query, and [Model]
/// opens the checkpoint that both read.
package io.github.sgpt4j;
