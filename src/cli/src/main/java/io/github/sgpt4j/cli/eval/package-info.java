/// sgpt eval.
package io.github.sgpt4j.cli.eval;
