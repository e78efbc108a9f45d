/// Where files of the user go; shared with the other modules.
package io.github.sgpt4j.files;
