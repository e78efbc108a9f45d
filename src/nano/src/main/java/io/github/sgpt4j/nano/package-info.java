/// The built-in model and demo corpus, which are unpacked from the class path.
package io.github.sgpt4j.nano;
