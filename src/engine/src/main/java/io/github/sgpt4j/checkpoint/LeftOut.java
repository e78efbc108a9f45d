package io.github.sgpt4j.checkpoint;

/// How many first tokens of a text with a prompt pooling leaves out, for models that leave out prompts.
public enum LeftOut {
    /// As many as the prompt has alone with the special tokens before it: the rule of sentence-transformers.
    PROMPT,
    /// As many as the prompt has alone without special tokens. A begin token counts as one of them, so
    /// that the prompt's last token takes part: the rule of NV-Embed's published code.
    PROMPT_WITHOUT_SPECIAL_TOKENS
}
