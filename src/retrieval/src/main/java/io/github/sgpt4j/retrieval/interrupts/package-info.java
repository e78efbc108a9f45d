/// Work that an interrupt does not break, and calls that an interrupt ends.
package io.github.sgpt4j.retrieval.interrupts;
