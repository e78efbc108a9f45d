/// Where texts and documents come from.
package io.github.sgpt4j.cli.input;
