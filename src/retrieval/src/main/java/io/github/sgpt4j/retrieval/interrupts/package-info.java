/// Work that an interrupt does not break, and calls that it ends.
package io.github.sgpt4j.retrieval.interrupts;
