/// Progress bars.
package io.github.sgpt4j.cli.progress;
