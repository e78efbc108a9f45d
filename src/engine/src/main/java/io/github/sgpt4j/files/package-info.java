/// The user's cache, and entries of folders; shared with the other modules.
package io.github.sgpt4j.files;
