/// Reports as one HTML file each, which needs nothing else: no network, no other file.
package io.github.sgpt4j.cli.report;
