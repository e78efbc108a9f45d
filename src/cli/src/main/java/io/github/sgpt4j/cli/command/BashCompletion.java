package io.github.sgpt4j.cli.command;

import picocli.AutoComplete;
import picocli.CommandLine.Model.CommandSpec;

/// The completion script of bash and zsh: picocli's, which also completes what stands behind the `=` of an option.
final class BashCompletion {
    private static final String REGISTRATION = "complete -F _complete_";

    /// Makes `--mode=de` two words for picocli's function, as if a space stood there. Bash gives it as three, since
    /// its COMP_WORDBREAKS contain "="; zsh, and bash without that, as one, and then they expect whole words back.
    private static final String AROUND = """
            function _complete_NAME_behind_equals() {
              local -a parts=()
              local i part before=
              for ((i = 0; i <= COMP_CWORD; i++)); do
                part=${COMP_WORDS[i]}
                before=
                if [[ $part == = && ${COMP_WORDS[i - 1]} == --* ]]; then
                  if ((i == COMP_CWORD)); then parts+=(""); fi
                elif [[ $part == --*=* ]]; then
                  before=${part%%=*}=
                  parts+=("${part%%=*}" "${part#*=}")
                else
                  parts+=("$part")
                fi
              done
              COMP_WORDS=("${parts[@]}")
              COMP_CWORD=$((${#parts[@]} - 1))
              _complete_NAME
              if [[ -n $before && ${#COMPREPLY[@]} -gt 0 ]]; then
                COMPREPLY=("${COMPREPLY[@]/#/$before}")
              fi
            }

            """;

    private BashCompletion() {}

    static String of(CommandSpec root) {
        String script = AutoComplete.bash(root.name(), root.commandLine());
        int place = script.lastIndexOf(REGISTRATION + root.name() + " ");
        if (place < 0) {
            throw new IllegalStateException("picocli's script registers no function for " + root.name());
        }
        String registration = script.substring(place)
                .replaceFirst(REGISTRATION + root.name(), REGISTRATION + root.name() + "_behind_equals");
        return script.substring(0, place) + AROUND.replace("NAME", root.name()) + registration;
    }
}
