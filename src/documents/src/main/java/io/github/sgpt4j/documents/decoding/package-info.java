/// From bytes to text within limits.
package io.github.sgpt4j.documents.decoding;
