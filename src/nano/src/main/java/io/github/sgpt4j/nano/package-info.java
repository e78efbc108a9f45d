/// The built-in model and demo corpus, unpacked from the class path.
package io.github.sgpt4j.nano;
