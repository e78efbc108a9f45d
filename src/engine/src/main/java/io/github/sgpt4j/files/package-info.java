/// Locations of per-user files; shared with the other modules.
package io.github.sgpt4j.files;
