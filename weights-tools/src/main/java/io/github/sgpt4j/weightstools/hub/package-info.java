/// Downloads from a Hugging Face hub, into the cache that its own tools use.
package io.github.sgpt4j.weightstools.hub;
