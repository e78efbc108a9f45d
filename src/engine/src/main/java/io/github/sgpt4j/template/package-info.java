/// Chat templates: an interpreter of the part of Jinja that they use.
package io.github.sgpt4j.template;
